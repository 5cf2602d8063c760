#include "experiments/compare/comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>

#include "experiments/compare/request_pairs.hpp"
#include "experiments/record/result_folder.hpp"
#include "experiments/report/result_reader.hpp"
#include "sim/kernel/input_error.hpp"

namespace tokenyard {

namespace fs = std::filesystem;

namespace {

/// The runs of one series, by seed.
struct Run {
  const Summary* summary = nullptr;
  fs::path folder;
};
using Series = std::map<std::uint64_t, Run>;

struct Folder {
  ResultFiles files;
  std::vector<std::string> names;  ///< of series, as they come
  std::map<std::string, Series> series;
};

Folder read(const fs::path& path) {
  Folder folder;
  folder.files = read_result_folder(path);
  std::vector<std::string> labels;
  for (const Summary& summary : folder.files.summaries) labels.push_back(summary.key.label);
  const auto names = safe_file_names(labels);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const Summary& summary = folder.files.summaries[i];
    std::string name = summary.key.series;
    if (summary.key.request_rate) name += fmt::format(" at {}/s", *summary.key.request_rate);
    if (folder.series[name].empty()) folder.names.push_back(name);
    folder.series[name][summary.key.seed] = {&summary, path / names[i]};
  }
  return folder;
}

/// The first line in which two files differ; empty where they do not or one is not there.
std::string first_different_line(const fs::path& base, const fs::path& candidate) {
  std::ifstream first(base), second(candidate);
  if (!first || !second) return {};
  std::string a, b;
  for (std::int64_t row = 0;; ++row) {
    const bool more_a = static_cast<bool>(std::getline(first, a));
    const bool more_b = static_cast<bool>(std::getline(second, b));
    if (!more_a && !more_b) return {};
    if (more_a && more_b && a == b) continue;
    return fmt::format("iteration {}: {} | {}", row, more_a ? a : "none", more_b ? b : "none");
  }
}

Verdict verdict_of(const MetricComparison& metric, double p_value) {
  if (metric.base == metric.candidate &&
      (!metric.change || metric.change->low == metric.change->high)) {
    return Verdict::identical;
  }
  if (!metric.change) return Verdict::inconclusive;
  constexpr double kMargin = 0.01, kLevel = 0.05;
  const RelativeChange& change = *metric.change;
  if (change.low >= -kMargin && change.high <= kMargin) return Verdict::no_difference;
  const bool certain = p_value < kLevel && (change.low > 0 || change.high < 0);
  if (!certain) return Verdict::inconclusive;
  const auto less = less_is_better(metric.metric);
  if (!less) return Verdict::changed;
  return (change.change < 0) == *less ? Verdict::better : Verdict::worse;
}

GateResult judge(const Gate& gate, const SeriesComparison& series) {
  GateResult result{gate, GateOutcome::inconclusive, "", 0};
  const auto found = std::find_if(series.metrics.begin(), series.metrics.end(),
                                  [&](const auto& m) { return m.metric == gate.metric; });
  if (found == series.metrics.end()) {
    result.reason = "the folders do not have this metric";
    return result;
  }
  const MetricComparison& metric = *found;
  if (!gate.relative) {
    result.outcome = outcome_of(gate, metric.candidate, metric.candidate);
    result.reason = fmt::format("{:.6g}", metric.candidate);
    return result;
  }
  constexpr double kPercent = 100;
  if (metric.verdict == Verdict::identical) {
    result.outcome = outcome_of(gate, 0, 0);
    result.reason = "identical";
  } else if (metric.change) {
    result.outcome = outcome_of(gate, metric.change->low, metric.change->high);
    result.reason = fmt::format("{:+.2f} % [{:+.2f}, {:+.2f}]", kPercent * metric.change->change,
                                kPercent * metric.change->low, kPercent * metric.change->high);
    if (result.outcome == GateOutcome::inconclusive && !series.by_windows) {
      result.pairs_needed = pairs_needed(*metric.change, gate.bound);
    }
  } else {
    result.reason = "one pair, and nothing bounds its error";
  }
  return result;
}

void compare_requests(SeriesComparison& out, const Run& base, const Run& candidate,
                      const std::string& seed) {
  const RequestPairs pairs =
      read_request_pairs(base.folder / "requests.csv", candidate.folder / "requests.csv");
  for (const RequestPair& pair : pairs.both) {
    if (!pair.base[0] || !pair.candidate[0] || *pair.base[0] == *pair.candidate[0]) continue;
    out.changed.push_back({pair.request, seed, *pair.base[0], *pair.candidate[0]});
  }
  constexpr std::size_t kMost = 5;
  const auto size = [](const ChangedRequest& r) {
    return std::abs(r.candidate_jct_s - r.base_jct_s);
  };
  std::stable_sort(out.changed.begin(), out.changed.end(),
                   [&](const auto& a, const auto& b) { return size(a) > size(b); });
  if (out.changed.size() > kMost) out.changed.resize(kMost);
  if (!out.by_windows) return;
  for (MetricComparison& metric : out.metrics) {
    metric.change = bootstrap_metric(pairs, metric.metric);
  }
}

SeriesComparison compare_series(const std::string& base_name, const Series& base,
                                const std::string& candidate_name, const Series& candidate) {
  SeriesComparison out;
  out.base = base_name;
  out.candidate = candidate_name;
  std::vector<std::pair<const Run*, const Run*>> pairs;
  for (const auto& [seed, run] : base) {
    const auto other = candidate.find(seed);
    if (other != candidate.end()) pairs.emplace_back(&run, &other->second);
  }
  out.pairs = static_cast<std::int64_t>(pairs.size());
  if (pairs.empty()) {
    throw InputError(
        fmt::format("'{}' and '{}' have no seed in common", base_name, candidate_name));
  }
  out.by_windows = pairs.size() == 1;
  for (const std::string& name : metric_names()) {
    std::vector<double> before, after;
    for (const auto& [first, second] : pairs) {
      const auto a = first->summary->value(name), b = second->summary->value(name);
      if (!a || !b) continue;
      before.push_back(*a);
      after.push_back(*b);
    }
    if (before.empty()) continue;
    MetricComparison metric;
    metric.metric = name;
    for (const double value : before) metric.base += value / static_cast<double>(before.size());
    for (const double value : after) metric.candidate += value / static_cast<double>(after.size());
    if (before == after) metric.candidate = metric.base;
    metric.change = paired_change(before, after);
    out.metrics.push_back(metric);
  }
  for (const auto& [first, second] : pairs) {
    const std::string seed = pairs.size() > 1 ? fmt::to_string(first->summary->key.seed) : "";
    std::error_code error;
    if (!fs::exists(first->folder / "requests.csv", error)) continue;  // a sweep without its cells
    compare_requests(out, *first, *second, seed);
    if (out.first_difference.empty()) {
      out.first_difference =
          first_different_line(first->folder / "iterations.csv", second->folder / "iterations.csv");
    }
  }
  return out;
}

/// Verdicts on one metric of several series stand together.
void give_verdicts(std::vector<SeriesComparison>& all) {
  for (const std::string& name : metric_names()) {
    std::vector<MetricComparison*> family;
    std::vector<double> p_values;
    for (SeriesComparison& series : all) {
      for (MetricComparison& metric : series.metrics) {
        if (metric.metric != name) continue;
        family.push_back(&metric);
        p_values.push_back(metric.change ? metric.change->p_value : 1);
      }
    }
    adjust_by_holm(p_values);
    for (std::size_t i = 0; i < family.size(); ++i) {
      family[i]->verdict = verdict_of(*family[i], p_values[i]);
    }
  }
}

}  // namespace

FolderComparison compare_folders(const fs::path& base, const fs::path& candidate,
                                 const std::vector<Gate>& gates) {
  const Folder before = read(base), after = read(candidate);
  FolderComparison out;
  const bool one_each = before.names.size() == 1 && after.names.size() == 1;
  for (const std::string& name : before.names) {
    const std::string& other = one_each ? after.names.front() : name;
    const auto found = after.series.find(other);
    if (found == after.series.end()) {
      out.unpaired.push_back(name + " (base)");
      continue;
    }
    out.series.push_back(compare_series(name, before.series.at(name), other, found->second));
  }
  for (const std::string& name : after.names) {
    if (!one_each && !before.series.contains(name)) out.unpaired.push_back(name + " (candidate)");
  }
  if (out.series.empty()) throw InputError("the folders have no label in common");
  give_verdicts(out.series);
  for (SeriesComparison& series : out.series) {
    for (const Gate& gate : gates) series.gates.push_back(judge(gate, series));
  }
  return out;
}

}  // namespace tokenyard
