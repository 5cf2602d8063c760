#include "experiments/statistics/sequential.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "experiments/statistics/interval.hpp"

namespace tokenyard {

Precision precision_of(std::span<const double> replications, double target) {
  constexpr double kMost = 1e9;
  const auto count = static_cast<std::int64_t>(replications.size());
  Precision precision;
  precision.relative = std::numeric_limits<double>::infinity();
  precision.needed = std::max(count, kFewestReplications);
  const Interval interval = t_interval_95(replications);
  if (!interval.half_width) return precision;
  if (*interval.half_width == 0) {
    precision.relative = 0;
  } else if (*interval.mean != 0) {
    precision.relative = *interval.half_width / std::abs(*interval.mean);
  }
  const double allowed = target / (1 + target);
  precision.reached = count >= kFewestReplications && precision.relative <= allowed;
  if (!precision.reached) {
    const double ratio = precision.relative / allowed;
    // A half-width shrinks with the root of the number.
    const double needed = std::ceil(static_cast<double>(count) * ratio * ratio);
    precision.needed =
        std::max(precision.needed, static_cast<std::int64_t>(std::min(needed, kMost)));
  }
  return precision;
}

}  // namespace tokenyard
