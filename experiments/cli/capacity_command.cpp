#include "experiments/cli/capacity_command.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "experiments/capacity/capacity_files.hpp"
#include "experiments/cli/run_options.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

constexpr const char* kUsage =
    "tokenyard capacity TRACE POLICY... --slo RULE [options]\n"
    "\n"
    "Finds the highest request rate at which each policy keeps every rule, by bisection, with a\n"
    "95 % interval over seeds. All rates and policies see the same requests, their gaps "
    "stretched.\n"
    "A RULE is\n"
    "  METRIC<=NUMBER (or >=)  of the summary, see 'tokenyard list metrics': p99_ttft_s<=0.5\n"
    "  BOUNDS:share>=SHARE     the share of requests that keep several bounds together (goodput):\n"
    "                          ttft_s<=0.5,tpot_s<=0.05:share>=0.9; bounds of jct_s, ttft_s,\n"
    "                          tpot_s and normalized_latency_s; rejected requests miss them\n"
    "\n"
    "By default in steady state: runs of 10,000 requests, of which the first fifth (--warmup: "
    "what\n"
    "it says) and the last twentieth are not counted; a rate above saturation, where the queue\n"
    "grows without end, fails. --terminating measures runs of exactly N requests, begun and ended\n"
    "empty, as papers do. A recorded trace is run whole and once, and there is no interval, or\n"
    "with --resample blocks:SECONDS on one resample a seed, each at the rate asked for.\n"
    "\n"
    "Examples:\n"
    "  tokenyard capacity plan.json fcfs skip-join-mlfq --model opt-13b --device a100-40g \\\n"
    "      --slo 'mean_normalized_latency_s<=0.3'\n"
    "  tokenyard capacity plan.json fcfs --model llama-3.1-8b --device a100-80g \\\n"
    "      --slo 'ttft_s<=0.5,tpot_s<=0.05:share>=0.9' --out goodput\n"
    "\n"
    "All options of 'run' apply but those for files of single runs:\n\n";

std::vector<OptionRow> option_rows() {
  std::vector<OptionRow> rows = {
      {"slo", "RULE", "what must hold; may repeat, then all must", true},
      {"requests", "N", "of each run (10000; with --terminating the plan's; all of a trace)"},
      {"terminating", "", "runs of exactly N requests instead of the steady state"},
      {"tolerance", "P%", "how far above the answer the next failing rate may lie (1%)"},
      {"out", "DIR",
       "write a result folder: capacity.csv, points.csv with each rate measured, summary.csv with "
       "each run"},
      {"repeat", "N", "seeds of a workload plan or of --resample, for the interval (10)"},
  };
  // Those of a single run's files, and what the search itself decides.
  constexpr std::string_view kNot[] = {"out",   "cell",         "repeat",   "until",
                                       "limit", "request-rate", "timeline", "record",
                                       "bound", "iterations"};
  for (OptionRow& row : run_option_rows()) {
    const bool left_out = std::find(std::begin(kNot), std::end(kNot), row.name) != std::end(kNot);
    if (!left_out) rows.push_back(std::move(row));
  }
  return rows;
}

double tolerance_of(const CommandLine& line) {
  std::string_view percent;
  const std::string text = line.value("tolerance").value_or("1%");
  percent = text;
  if (percent.ends_with('%')) percent.remove_suffix(1);
  const auto number = parse_number(percent);
  constexpr double kLeast = 0.01, kMost = 50, kPercent = 0.01;
  if (!number || *number < kLeast || *number > kMost || !text.ends_with('%')) {
    line.refuse(fmt::format("--tolerance: expected a percentage from {}% to {}%, found '{}'",
                            kLeast, kMost, printable(text)));
  }
  return *number * kPercent;
}

CapacityPlan plan_of(const CommandLine& line) {
  CapacityPlan plan;
  plan.run = run_plan_of(line);
  for (const std::string& rule : line.values("slo")) plan.rules.push_back(parse_slo(rule));
  if (plan.rules.empty()) {
    line.refuse("no --slo given, such as --slo 'p99_ttft_s<=0.5'; see 'tokenyard capacity --help'");
  }
  if (line.has("requests")) {
    constexpr std::int64_t kFewest = 100, kMost = 100'000'000;
    plan.requests = line.integer("requests", kFewest, kMost, kFewest);
  }
  plan.terminating = line.flag("terminating");
  plan.tolerance = tolerance_of(line);
  plan.has_warmup = line.has("warmup");
  constexpr std::int64_t kSeeds = 10;
  plan.run.repeat = line.integer("repeat", 1, 10'000, kSeeds);
  return plan;
}

}  // namespace

int run_capacity_command(const std::vector<std::string>& arguments) {
  const std::vector<OptionRow> rows = option_rows();
  const CommandLine line("capacity", arguments, rows);
  if (line.flag("help")) {
    fmt::print("{}{}", kUsage, options_help(rows));
    return 0;
  }
  const CapacityPlan plan = plan_of(line);
  std::optional<ResultFolder> folder;
  if (const auto out = line.value("out")) folder.emplace(*out);
  const Capacities capacities = measure_capacity(plan);
  if (folder) {
    write_capacity(plan, capacities, *folder);
    folder->commit();
  }
  if (line.flag("json")) {
    fmt::print("{}", capacity_json(plan, capacities));
  } else if (!plan.run.quiet) {
    fmt::print("{}", capacity_table(plan, capacities));
    for (const std::string& note : capacities.notes) fmt::print("note: {}\n", note);
    if (const auto out = line.value("out")) fmt::print("results are in {}\n", *out);
  }
  return 0;
}

}  // namespace tokenyard
