#include "experiments/cli/run_command.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <optional>

#include "experiments/cli/run_options.hpp"
#include "experiments/report/table.hpp"
#include "experiments/run.hpp"
#include "experiments/run_json.hpp"
#include "experiments/sweep/cell_folder.hpp"

namespace tokenyard {

namespace {

constexpr int kInterrupted = 130;  // as shells have it

constexpr const char* kUsage =
    "tokenyard run TRACE POLICY... [options]\n"
    "\n"
    "Replays a trace under each policy and compares job completion times: in simulated time over\n"
    "a cost model, or with --executor engine on a real model, simulated or live (--clock wall).\n"
    "TRACE is a trace file (see 'tokenyard trace convert --help' for formats) or a workload plan,\n"
    "as a .json file or as its text:\n"
    "  {\"requests\":4000,\"arrivals\":\"poisson:rate=3.6\",\"lengths\":\"sharegpt-like\"}\n"
    "POLICY is a name or name:key=value,key=value, see 'tokenyard list policies'.\n"
    "\n"
    "Examples:\n"
    "  tokenyard run trace.csv fcfs skip-join-mlfq --model opt-13b --device a100-40g\n"
    "  tokenyard run plan.json srpt:size=work --model llama-3.1-8b --device a100-80g --repeat 10\n"
    "  tokenyard run trace.csv --system orca --system vllm --model opt-13b --device a100-40g "
    "--out results\n"
    "\n"
    "--guard bounds how long any policy may leave a request waiting. It goes ahead of all others "
    "for\n"
    "one iteration when it has waited X ms (after_ms=X) or was passed over in K iterations\n"
    "(skips=K); or its key improves by R of the policy's units a second that it waits (aging=R;\n"
    "ns of arrival for fcfs, levels for mlfq, tokens for srpt).\n"
    "\n"
    "--record FILE makes a flight record of one run: 'tokenyard replay FILE' feeds the same "
    "events\n"
    "to a scheduler again, without the trace, and says whether it decides the same.\n"
    "\n"
    "An explicit option wins over the system's, that over what model and device imply, that over\n"
    "the default (in brackets).\n\n";

RunResults run_to_out(const CommandLine& line, const RunPlan& plan) {
  std::optional<ResultFolder> folder;
  if (const auto out = line.value("out")) folder.emplace(*out);
  RunResults results = run(plan, folder ? &*folder : nullptr);
  if (folder) folder->commit();
  return results;
}

RunResults listed_cell(const CommandLine& line, const RunPlan& plan) {
  if (!line.has("out")) line.refuse("--cell goes with --out DIR/cells/NAME");
  if (!plan.record.empty()) line.refuse("--cell and --record exclude one another");
  const CellResult cell = make_listed_cell(plan, *line.value("out"));
  RunResults results;
  results.runs.push_back(cell.run);
  results.notes = cell.notes;
  return results;
}

}  // namespace

int run_run_command(const std::vector<std::string>& arguments) {
  const std::vector<OptionRow> rows = run_option_rows();
  const CommandLine line("run", arguments, rows);
  if (line.flag("help")) {
    fmt::print("{}{}", kUsage, options_help(rows));
    return 0;
  }
  const RunPlan plan = run_plan_of(line);
  const RunResults results = line.flag("cell") ? listed_cell(line, plan) : run_to_out(line, plan);

  std::vector<Summary> summaries;
  for (const RunResult& result : results.runs) summaries.push_back(result.summary);
  if (line.flag("json")) {
    fmt::print("{}", results_json(results));
  } else if (!plan.quiet) {
    fmt::print("{}", comparison_table(summaries));
    for (const std::string& note : results.notes) fmt::print("note: {}\n", note);
    if (const auto out = line.value("out")) fmt::print("results are in {}\n", *out);
    if (!plan.record.empty()) fmt::print("the flight record is in {}\n", plan.record);
  }
  return results.runs.back().interrupted ? kInterrupted : 0;
}

}  // namespace tokenyard
