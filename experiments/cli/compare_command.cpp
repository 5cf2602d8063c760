#include "experiments/cli/compare_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "experiments/cli/command_line.hpp"
#include "experiments/compare/comparison.hpp"

namespace tokenyard {

namespace {

constexpr const char* kUsage =
    "tokenyard compare BASE CANDIDATE [options]\n"
    "\n"
    "Compares two result folders, metric by metric, with 95 % intervals of the relative change.\n"
    "One label in each folder are compared whatever their names; several pair by label. Runs pair\n"
    "by seed: with --repeat 2 and more the interval is Student's over the pairs (common random\n"
    "numbers make it narrow); a recorded trace, run once, is exact for itself, and the interval\n"
    "shown is by moving-block bootstrap over windows of it.\n"
    "\n"
    "A gate is METRIC<=+3% (the change may be at most that), METRIC<=NUMBER (the candidate's own\n"
    "value), or the same with >=. Exit status: 0 all pass, 1 one fails, 4 none fails and one is\n"
    "inconclusive (then it says how many pairs would tell), 2 wrong usage or bad input.\n"
    "\n"
    "Example, in the CI of a policy's repository:\n"
    "  tokenyard run plan.json skip-join-mlfq --repeat 20 --model opt-13b --device a100-40g "
    "--out new\n"
    "  tokenyard compare old new --gate 'mean_jct_s<=+1%' --gate 'p99_jct_s<=+3%'\n\n";

constexpr int kFailed = 1;
constexpr int kInconclusive = 4;
constexpr double kPercent = 100;

const char* name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::identical:
      return "identical";
    case Verdict::no_difference:
      return "no difference";
    case Verdict::better:
      return "better";
    case Verdict::worse:
      return "worse";
    case Verdict::changed:
      return "changed";
    case Verdict::inconclusive:
      return "inconclusive";
  }
  return "?";
}

const char* name_of(GateOutcome outcome) {
  switch (outcome) {
    case GateOutcome::pass:
      return "pass";
    case GateOutcome::fail:
      return "FAIL";
    case GateOutcome::inconclusive:
      return "inconclusive";
  }
  return "?";
}

/// Those that a reader looks at first; `--all` shows the rest.
bool is_main(const std::string& metric) {
  const bool main = metric.starts_with("mean_") || metric.starts_with("p99_");
  return main || metric == "completed" || metric == "rejected" || metric == "preemptions" ||
         metric == "request_throughput";
}

void print_series(const SeriesComparison& series, bool all) {
  const std::string names =
      series.base == series.candidate ? series.base : series.base + " -> " + series.candidate;
  fmt::print("{} ({} {}{})\n", names, series.pairs, series.pairs == 1 ? "pair" : "pairs",
             series.by_windows ? "; intervals over windows of the trace" : "");
  fmt::print("  {:<30} {:>12} {:>12} {:>9}  {:<20} {}\n", "metric", "base", "candidate", "change",
             "95 % interval", "verdict");
  for (const MetricComparison& metric : series.metrics) {
    if (!all && !is_main(metric.metric)) continue;
    std::string change = "-", interval = "-";
    if (metric.base != 0) {
      change = fmt::format("{:+.2f} %", kPercent * (metric.candidate / metric.base - 1));
    }
    if (metric.change) {
      interval = fmt::format("[{:+.2f}, {:+.2f}] %", kPercent * metric.change->low,
                             kPercent * metric.change->high);
    }
    fmt::print("  {:<30} {:>12.6g} {:>12.6g} {:>9}  {:<20} {}\n", metric.metric, metric.base,
               metric.candidate, change, interval, name_of(metric.verdict));
  }
  if (!series.changed.empty()) fmt::print("  the requests that changed most (jct_s):\n");
  for (const ChangedRequest& request : series.changed) {
    fmt::print("    {}{}: {:.6g} -> {:.6g}\n", request.request,
               request.seed.empty() ? "" : " of seed " + request.seed, request.base_jct_s,
               request.candidate_jct_s);
  }
  if (!series.first_difference.empty()) {
    fmt::print("  the first decision that differs, {}\n", series.first_difference);
  }
  for (const GateResult& gate : series.gates) {
    fmt::print(
        "  gate {}: {} ({}){}\n", gate.gate.text, name_of(gate.outcome), gate.reason,
        gate.pairs_needed > 0 ? fmt::format("; about {} pairs would tell", gate.pairs_needed) : "");
  }
}

nlohmann::ordered_json json_of(const SeriesComparison& series) {
  nlohmann::ordered_json json;
  json["base"] = series.base;
  json["candidate"] = series.candidate;
  json["pairs"] = series.pairs;
  json["metrics"] = nlohmann::ordered_json::array();
  for (const MetricComparison& metric : series.metrics) {
    nlohmann::ordered_json entry = {{"metric", metric.metric},
                                    {"base", metric.base},
                                    {"candidate", metric.candidate},
                                    {"verdict", name_of(metric.verdict)}};
    if (metric.change) {
      entry["change"] = metric.change->change;
      entry["ci95"] = {metric.change->low, metric.change->high};
    }
    json["metrics"].push_back(entry);
  }
  json["gates"] = nlohmann::ordered_json::array();
  for (const GateResult& gate : series.gates) {
    json["gates"].push_back({{"gate", gate.gate.text},
                             {"outcome", name_of(gate.outcome)},
                             {"reason", gate.reason},
                             {"pairs_needed", gate.pairs_needed}});
  }
  return json;
}

int status_of(const FolderComparison& comparison) {
  int status = 0;
  for (const SeriesComparison& series : comparison.series) {
    for (const GateResult& gate : series.gates) {
      if (gate.outcome == GateOutcome::fail) return kFailed;
      if (gate.outcome == GateOutcome::inconclusive) status = kInconclusive;
    }
  }
  return status;
}

}  // namespace

int run_compare_command(const std::vector<std::string>& arguments) {
  const std::vector<OptionRow> rows = {
      {"gate", "RULE", "what must hold of each pair of labels; may repeat", true},
      {"all", "", "all metrics, not only means, p99 and counts"},
      {"json", "", "machine-readable results on standard output"},
      {"quiet", "", "the exit status alone"},
      {"help", "", "this text"}};
  const CommandLine line("compare", arguments, rows);
  if (line.flag("help")) {
    fmt::print("{}{}", kUsage, options_help(rows));
    return 0;
  }
  if (line.positionals().size() != 2) {
    line.refuse("give two result folders, BASE and CANDIDATE; see 'tokenyard compare --help'");
  }
  std::vector<Gate> gates;
  for (const std::string& text : line.values("gate")) gates.push_back(parse_gate(text));
  const FolderComparison comparison =
      compare_folders(line.positionals()[0], line.positionals()[1], gates);
  if (line.flag("json")) {
    nlohmann::ordered_json json;
    json["series"] = nlohmann::ordered_json::array();
    for (const SeriesComparison& series : comparison.series) {
      json["series"].push_back(json_of(series));
    }
    json["unpaired"] = comparison.unpaired;
    fmt::print("{}\n", json.dump(2));
  } else if (!line.flag("quiet")) {
    for (const SeriesComparison& series : comparison.series) print_series(series, line.flag("all"));
    for (const std::string& label : comparison.unpaired) fmt::print("not compared: {}\n", label);
  }
  return status_of(comparison);
}

}  // namespace tokenyard
