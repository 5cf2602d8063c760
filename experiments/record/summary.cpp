#include "experiments/record/summary.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "experiments/statistics/distribution.hpp"
#include "experiments/statistics/interval.hpp"
#include "sim/kernel/invariant.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

constexpr const char* kMetrics[] = {"jct_s",   "ttft_s", "tpot_s", "itl_s", "normalized_latency_s",
                                    "slowdown"};
constexpr const char* kStatistics[] = {"mean", "p50", "p90", "p95", "p99", "max"};

std::optional<double> share(WideInteger part, WideInteger whole) {
  if (whole <= 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(whole);
}

/// Fills values in the order of `metric_names`.
class Filler {
 public:
  explicit Filler(Summary& summary) : summary_(summary) {}

  void add(std::optional<double> value) {
    const auto& names = metric_names();
    const std::size_t place = summary_.values.size();
    invariant(place < names.size(), "I12 a summary has its names", "{} values", place + 1);
    summary_.values.emplace_back(names[place], value);
  }
  void add_count(std::int64_t value) { add(static_cast<double>(value)); }
  void add(const Distribution& d) {
    for (const auto& value : {d.mean, d.p50, d.p90, d.p95, d.p99, d.max}) add(value);
  }

 private:
  Summary& summary_;
};

std::string cell(const std::optional<double>& value) {
  return value ? format_number(*value) : std::string();
}

}  // namespace

const std::vector<std::string>& summary_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list = {"requests",   "completed",          "rejected",
                                     "duration_s", "request_throughput", "output_token_throughput"};
    for (const char* metric : kMetrics) {
      for (const char* statistic : kStatistics)
        list.push_back(fmt::format("{}_{}", statistic, metric));
    }
    for (const char* name :
         {"preemptions", "swaps_out", "swaps_in", "recomputed_tokens", "kv_utilization_mean",
          "batch_mean", "jain_fairness", "recomputed_token_share", "cached_token_share",
          "swap_time_share", "kv_waste_mean", "kv_saved_mean", "stage_bubble_share"}) {
      list.emplace_back(name);
    }
    return list;
  }();
  return names;
}

const std::vector<std::string>& program_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list = {"programs", "programs_completed"};
    for (const char* statistic : kStatistics) {
      list.push_back(fmt::format("{}_program_jct_s", statistic));
    }
    return list;
  }();
  return names;
}

const std::vector<std::string>& metric_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list = summary_names();
    list.insert(list.end(), program_names().begin(), program_names().end());
    return list;
  }();
  return names;
}

std::vector<std::string> names_in(std::span<const Summary> summaries) {
  const std::string& first = program_names().front();
  const bool programs = std::ranges::any_of(
      summaries, [&](const Summary& each) { return each.value(first).has_value(); });
  return programs ? metric_names() : summary_names();
}

bool comparable(const SummaryKey& a, const SummaryKey& b) {
  return a.seed == b.seed && a.request_rate == b.request_rate;
}

std::optional<double> Summary::value(std::string_view name) const {
  for (const auto& [candidate, value] : values) {
    if (candidate == name) return value;
  }
  return std::nullopt;
}

Summary summarize(SummaryKey key, const Recorder& recorder) {
  const Samples& samples = recorder.samples();
  const RequestSums& sums = samples.sums();
  std::optional<double> duration;
  if (sums.requests > 0) duration = to_seconds(sums.last_end - sums.first_arrival);
  const auto per_second = [&](std::int64_t count) -> std::optional<double> {
    if (!duration || *duration <= 0) return std::nullopt;
    return static_cast<double>(count) / *duration;
  };

  Summary summary;
  summary.key = std::move(key);
  Filler filler(summary);
  filler.add_count(sums.requests);
  filler.add_count(sums.completed);
  filler.add_count(sums.rejected);
  filler.add(duration);
  filler.add(per_second(sums.completed));
  filler.add(per_second(sums.tokens));
  filler.add(samples.jct());
  filler.add(samples.ttft());
  filler.add(samples.tpot());
  filler.add(distribution_of_nanoseconds(recorder.gaps()));
  filler.add(samples.normalized_latency());
  filler.add(samples.slowdown());
  filler.add_count(sums.preemptions);
  filler.add_count(sums.swaps_out);
  filler.add_count(sums.swaps_in);
  filler.add_count(sums.recomputed_tokens);
  filler.add(recorder.kv_utilization_mean());
  filler.add(recorder.batch_mean());
  filler.add(samples.jain_fairness());
  filler.add(share(sums.recomputed_tokens, recorder.computed_tokens()));
  filler.add(share(sums.cached_tokens, sums.prompt_tokens));
  filler.add(share(sums.swapping_ns, sums.in_system_ns));
  filler.add(recorder.kv_waste_mean());
  filler.add(recorder.kv_saved_mean());
  filler.add(recorder.stage_bubble_share());
  invariant(summary.values.size() == summary_names().size(), "I12 a summary has its names",
            "{} values", summary.values.size());
  if (recorder.programs() == nullptr) return summary;
  const ProgramSummary programs = recorder.programs()->summary();
  filler.add_count(programs.programs);
  filler.add_count(programs.completed);
  filler.add(programs.jct);
  return summary;
}

bool has_bounds(std::span<const Summary> summaries) {
  return std::ranges::any_of(
      summaries, [](const Summary& each) { return each.lower_bound_mean_jct_s.has_value(); });
}

std::optional<double> jct_over_bound(const Summary& summary) {
  const auto bound = summary.lower_bound_mean_jct_s;
  const auto mean = summary.value("mean_jct_s");
  if (!bound || !mean || *bound <= 0) return std::nullopt;
  return *mean / *bound;
}

SummaryColumns::SummaryColumns(std::span<const Summary> summaries)
    : names_(names_in(summaries)), bounded_(has_bounds(summaries)) {}

std::string SummaryColumns::header() const {
  return fmt::format(",{},clairvoyant{}{}\n", fmt::join(names_, ","), bounded_ ? "," : "",
                     bounded_ ? kBoundName : "");
}

std::string SummaryColumns::cells(const Summary& summary) const {
  std::string text;
  for (const auto& name : names_) text += "," + cell(summary.value(name));
  text += summary.key.clairvoyant ? ",true" : ",false";
  if (bounded_) text += "," + cell(summary.lower_bound_mean_jct_s);
  return text + "\n";
}

std::string summary_csv(std::span<const Summary> summaries) {
  const SummaryColumns columns(summaries);
  std::string text = "label,policy,system,seed" + columns.header();
  for (const Summary& summary : summaries) {
    const SummaryKey& key = summary.key;
    text += fmt::format("{},{},{},{}", csv_field(key.label), csv_field(key.policy),
                        csv_field(key.system), key.seed);
    text += columns.cells(summary);
  }
  return text;
}

std::string summary_ci_csv(std::span<const Summary> summaries) {
  std::string text = "label,policy,system,seeds";
  const std::vector<std::string> names = names_in(summaries);
  for (const auto& name : names) text += fmt::format(",{0},{0}_ci95_half_width", name);
  text += "\n";
  std::vector<std::vector<const Summary*>> groups;
  for (const Summary& summary : summaries) {
    const auto same = [&](const std::vector<const Summary*>& group) {
      const SummaryKey& key = group.front()->key;
      return key.series == summary.key.series && key.policy == summary.key.policy &&
             key.system == summary.key.system;
    };
    const auto found = std::find_if(groups.begin(), groups.end(), same);
    if (found == groups.end()) {
      groups.push_back({&summary});
    } else {
      found->push_back(&summary);
    }
  }
  for (const auto& group : groups) {
    const SummaryKey& key = group.front()->key;
    text += fmt::format("{},{},{},{}", csv_field(key.series), csv_field(key.policy),
                        csv_field(key.system), group.size());
    for (const auto& name : names) {
      std::vector<double> samples;
      for (const Summary* summary : group) {
        if (const auto value = summary->value(name)) samples.push_back(*value);
      }
      const Interval interval = t_interval_95(samples);
      text += fmt::format(",{},{}", cell(interval.mean), cell(interval.half_width));
    }
    text += "\n";
  }
  return text;
}

}  // namespace tokenyard
