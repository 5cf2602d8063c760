#include "experiments/validate/live_spread.hpp"

#include <cmath>
#include <map>
#include <tuple>

#include "experiments/statistics/interval.hpp"

namespace tokenyard {

namespace {

auto class_of(const IterationLoad& load) {
  return std::tuple(load.prefill_sequences, load.prefill_tokens, load.prefill_context_tokens,
                    load.prefill_context_product, load.decode_sequences,
                    load.decode_context_tokens / kEqualContextTokens, load.copied_blocks);
}

using Equals = std::map<decltype(class_of({})), std::vector<double>>;

/// Each iteration as if the others of its load had foretold it.
void add_deviations(const std::vector<double>& measured_s, std::vector<ChargedIteration>& found) {
  const auto count = static_cast<double>(measured_s.size());
  if (count < 2) return;
  double mean_s = 0;
  for (const double each : measured_s) mean_s += each / count;
  const double stretch = std::sqrt(count / (count - 1));
  for (const double each : measured_s) {
    found.push_back({{}, each, each + stretch * (mean_s - each)});
  }
}

}  // namespace

LiveSpread spread_of(std::span<const std::vector<ChargedIteration>> runs) {
  Equals equals;
  std::vector<double> totals;
  for (const std::vector<ChargedIteration>& run : runs) {
    for (const ChargedIteration& each : run) {
      equals[class_of(each.load)].push_back(each.measured_s);
    }
    if (!run.empty()) totals.push_back(errors_of(run).total);
  }
  std::vector<ChargedIteration> foretold;
  for (const auto& [load, measured_s] : equals) add_deviations(measured_s, foretold);
  LiveSpread spread;
  spread.total_half_width = t_interval_95(totals).half_width;
  if (!foretold.empty()) spread.equals = errors_of(foretold);
  return spread;
}

}  // namespace tokenyard
