#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/record/summary.hpp"
#include "experiments/statistics/sequential.hpp"

namespace tokenyard {

/// How well a metric's mean over seeds is to be known: "mean_jct_s+-2%". A value type.
struct PrecisionGoal {
  std::string text;     ///< as given
  std::string metric;   ///< a name of `metric_names`
  double relative = 0;  ///< a share, 2 % is 0.02
};

/// Throws `InputError` for anything else, with the nearest known metric. "±" is as good as "+-".
PrecisionGoal parse_precision_goal(std::string_view text);

/// How far one series is from its goal; runs without the metric count for nothing.
Precision precision_of(const PrecisionGoal& goal, std::span<const Summary* const> series);

}  // namespace tokenyard
