#include "experiments/precision_goal.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

PrecisionGoal parse_precision_goal(std::string_view text) {
  const auto refuse = [&](const std::string& why) {
    return InputError(fmt::format("--until '{}': {}", printable(text), why));
  };
  std::string_view sign = "+-";
  auto at = text.find(sign);
  if (at == std::string_view::npos) {
    sign = "±";
    at = text.find(sign);
  }
  if (at == std::string_view::npos || !text.ends_with('%')) {
    throw refuse("expected METRIC+-PERCENT, as in mean_jct_s+-2%");
  }
  PrecisionGoal goal{std::string(text), std::string(text.substr(0, at)), 0};
  const auto& names = metric_names();
  if (std::find(names.begin(), names.end(), goal.metric) == names.end()) {
    throw refuse(fmt::format("unknown metric '{}'{}; see 'tokenyard list metrics'",
                             printable(goal.metric), suggestion(goal.metric, names)));
  }
  std::string_view percent = text.substr(at + sign.size());
  percent.remove_suffix(1);
  const auto number = parse_number(percent);
  constexpr double kLeast = 0.01, kMost = 50, kPercent = 0.01;
  if (!number || *number < kLeast || *number > kMost) {
    throw refuse(fmt::format("expected a percentage from {} to {}", kLeast, kMost));
  }
  goal.relative = *number * kPercent;
  return goal;
}

Precision precision_of(const PrecisionGoal& goal, std::span<const Summary* const> series) {
  std::vector<double> values;
  for (const Summary* summary : series) {
    if (const auto value = summary->value(goal.metric)) values.push_back(*value);
  }
  return precision_of(values, goal.relative);
}

}  // namespace tokenyard
