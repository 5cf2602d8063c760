#include "experiments/compare/gate.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "experiments/record/summary.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

Gate parse_gate(std::string_view text, std::string_view kind) {
  Gate gate;
  gate.text = text;
  auto at = text.find("<=");
  if (at == std::string_view::npos) {
    at = text.find(">=");
    gate.at_most = false;
  }
  const auto refuse = [&](const std::string& why) {
    return InputError(fmt::format("{} '{}': {}", kind, printable(text), why));
  };
  if (at == std::string_view::npos) {
    throw refuse("expected METRIC<=+3%, METRIC<=NUMBER, or the same with >=");
  }
  gate.metric = text.substr(0, at);
  const auto& names = metric_names();
  if (std::find(names.begin(), names.end(), gate.metric) == names.end()) {
    throw refuse(fmt::format("unknown metric '{}'{}; see 'tokenyard list metrics'",
                             printable(gate.metric), suggestion(gate.metric, names)));
  }
  std::string_view bound = text.substr(at + 2);
  const bool is_signed = bound.starts_with('+') || bound.starts_with('-');
  gate.relative = bound.ends_with('%');
  if (gate.relative) bound.remove_suffix(1);
  if (bound.starts_with('+')) bound.remove_prefix(1);
  const auto number = parse_number(bound);
  if (!number || (gate.relative && !is_signed)) {
    throw refuse("expected a number, or a change with its sign such as +3% or -1%");
  }
  constexpr double kPercent = 0.01;
  gate.bound = gate.relative ? *number * kPercent : *number;
  return gate;
}

GateOutcome outcome_of(const Gate& gate, double low, double high) {
  const auto keeps = [&](double value) {
    return gate.at_most ? value <= gate.bound : value >= gate.bound;
  };
  if (keeps(low) != keeps(high)) return GateOutcome::inconclusive;
  return keeps(low) ? GateOutcome::pass : GateOutcome::fail;
}

std::optional<bool> less_is_better(std::string_view metric) {
  constexpr std::string_view kMore[] = {"completed", "request_throughput",
                                        "output_token_throughput", "jain_fairness", "goodput"};
  if (std::find(std::begin(kMore), std::end(kMore), metric) != std::end(kMore)) return false;
  constexpr std::string_view kLess[] = {
      "_jct_s", "_ttft_s", "_tpot_s", "_itl_s", "_normalized_latency_s", "_slowdown"};
  for (const std::string_view ending : kLess) {
    if (metric.ends_with(ending)) return true;
  }
  constexpr std::string_view kFewer[] = {"rejected", "preemptions", "recomputed_tokens"};
  if (std::find(std::begin(kFewer), std::end(kFewer), metric) != std::end(kFewer)) return true;
  return std::nullopt;
}

}  // namespace tokenyard
