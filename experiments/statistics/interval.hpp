#pragma once

#include <optional>
#include <span>

namespace tokenyard {

/// A mean over independent replications with the half-width of its 95 % confidence interval.
struct Interval {
  std::optional<double> mean;        ///< empty without a sample
  std::optional<double> half_width;  ///< empty with fewer than two samples
};

/// Student's t interval of the mean: t(n - 1, 0.975) s / sqrt(n), with the sample standard
/// deviation s. It supposes independent samples (one per seed), nearly normal means.
Interval t_interval_95(std::span<const double> samples);

}  // namespace tokenyard
