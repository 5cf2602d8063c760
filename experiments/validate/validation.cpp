#include "experiments/validate/validation.hpp"

#include <algorithm>
#include <cmath>

#include "experiments/statistics/interval.hpp"

namespace tokenyard {

namespace {

std::vector<double> values_of(std::span<const Summary> summaries, const std::string& metric) {
  std::vector<double> values;
  for (const Summary& summary : summaries) {
    if (const auto value = summary.value(metric)) values.push_back(*value);
  }
  return values;
}

std::optional<double> goal_of(const ValidationGoals& goals, const std::string& metric) {
  if (metric == "mean_jct_s") return goals.mean_jct;
  if (metric == "p99_jct_s") return goals.p99_jct;
  return std::nullopt;
}

void add_metrics(const LiveAndSimulated& run, const ValidationGoals& goals,
                 std::vector<MetricRow>& rows) {
  for (const std::string& metric : validated_metrics()) {
    const std::vector<double> live = values_of(run.live, metric);
    const auto simulated = run.simulated.value(metric);
    if (live.size() != run.live.size() || !simulated) continue;
    const Interval interval = t_interval_95(live);
    if (!(*interval.mean > 0)) continue;
    MetricRow row{run.policy, metric, *interval.mean, interval.half_width, *simulated, 0, {}};
    row.error = row.simulated / row.live - 1;
    row.bound = goal_of(goals, metric);
    if (row.bound) {
      row.bound = std::max(*row.bound, interval.half_width.value_or(0) / row.live);
    }
    rows.push_back(std::move(row));
  }
}

IterationRow iterations_of(const LiveAndSimulated& run, const ValidationGoals& goals) {
  std::vector<ChargedIteration> all;
  for (const auto& each : run.iterations) all.insert(all.end(), each.begin(), each.end());
  IterationRow row{run.policy, {}, {}, goals.iterations_total, goals.iterations_p95, true};
  if (all.empty()) return row;
  row.errors = errors_of(all);
  row.goals_met = row.met();
  row.live = spread_of(run.iterations);
  row.total_bound = std::max(row.total_bound, row.live.total_half_width.value_or(0));
  if (2 * row.live.equals.iterations >= row.errors.iterations) {
    row.p95_bound = std::max(row.p95_bound, row.live.equals.p95_absolute);
  }
  return row;
}

std::optional<PairRow> pair_of(const LiveAndSimulated& base, const LiveAndSimulated& candidate) {
  const std::string metric = "mean_jct_s";
  const auto of_base = base.simulated.value(metric);
  const auto of_candidate = candidate.simulated.value(metric);
  if (!of_base || !of_candidate || *of_base == 0) return std::nullopt;
  PairRow row{base.policy, candidate.policy, {}, *of_candidate / *of_base - 1};
  const std::vector<double> base_live = values_of(base.live, metric);
  const std::vector<double> candidate_live = values_of(candidate.live, metric);
  if (base_live.size() == candidate_live.size()) {
    row.live = paired_change(base_live, candidate_live);
  }
  return row;
}

}  // namespace

ValidationGoals ValidationGoals::at_load(double load) {
  ValidationGoals goals;
  constexpr double kNearSaturation = 0.9;
  if (load > kNearSaturation) goals.mean_jct = goals.p99_jct = 0.10;
  return goals;
}

bool MetricRow::met() const {
  return !bound || std::abs(error) <= *bound;
}

bool IterationRow::met() const {
  return std::abs(errors.total) <= total_bound && errors.p95_absolute <= p95_bound;
}

bool Validation::met() const {
  return std::ranges::all_of(metrics, [](const MetricRow& row) { return row.met(); }) &&
         std::ranges::all_of(iterations, [](const IterationRow& row) { return row.met(); }) &&
         std::ranges::all_of(pairs,
                             [](const PairRow& row) { return !row.judged() || row.agrees(); });
}

const std::vector<std::string>& validated_metrics() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> made;
    for (const char* of : {"jct_s", "ttft_s", "tpot_s"}) {
      for (const char* what : {"mean", "p50", "p90", "p95", "p99"}) {
        made.push_back(std::string(what) + "_" + of);
      }
    }
    return made;
  }();
  return names;
}

Validation validate(std::span<const LiveAndSimulated> runs, const ValidationGoals& goals) {
  Validation validation;
  validation.goals = goals;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    add_metrics(runs[i], goals, validation.metrics);
    validation.iterations.push_back(iterations_of(runs[i], goals));
    for (std::size_t j = i + 1; j < runs.size(); ++j) {
      if (auto row = pair_of(runs[i], runs[j])) validation.pairs.push_back(std::move(*row));
    }
  }
  return validation;
}

}  // namespace tokenyard
