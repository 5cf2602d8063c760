#pragma once
// A metric against an axis, kept by seed, and where its mean crosses a bound.

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "experiments/report/line_plot.hpp"
#include "experiments/statistics/interval.hpp"

namespace tokenyard {

/// The values of one line: at each x, one for each seed.
struct SeededLine {
  std::string label;
  std::map<double, std::map<std::uint64_t, double>> values;

  /// Means over the seeds, with 95 % intervals.
  Line means() const;
};

/// Where a line first rises through `bound`, by linear interpolation between its points: the
/// highest rate that keeps it, as papers read it off their curves. Empty where it begins above the
/// bound or never reaches it.
std::optional<double> first_crossing(std::span<const LinePoint> points, double bound);

/// The same of the mean over the seeds, with its interval by the jackknife over seeds.
Interval crossing(const SeededLine& line, double bound);

/// The crossing of one line over that of another, paired by seed where both have the same.
Interval crossing_ratio(const SeededLine& of, const SeededLine& to, double bound);

}  // namespace tokenyard
