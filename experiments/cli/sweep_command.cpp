#include "experiments/cli/sweep_command.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "experiments/cli/command_line.hpp"
#include "experiments/report/table.hpp"
#include "experiments/run_json.hpp"
#include "experiments/sweep/options.hpp"
#include "experiments/sweep/sweep.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMostJobs = 4096;

constexpr const char* kUsage =
    "tokenyard sweep PLAN.json [options]\n"
    "\n"
    "Runs every cell of a grid: variants x systems x policies x request rates x seeds, the first\n"
    "slowest. A cell is one 'tokenyard run'; --list-cells prints each as a command line. A plan:\n"
    "  {\"trace\": {\"requests\": 400, \"arrivals\": \"poisson:rate=1\", \"lengths\": "
    "\"sharegpt-like\"},\n"
    "   \"policies\": [\"fcfs\", \"skip-join-mlfq\"],\n"
    "   \"request_rates\": [1, 2, 3],\n"
    "   \"seeds\": 5,\n"
    "   \"options\": {\"model\": \"opt-13b\", \"device\": \"a100-40g\", \"max-num-seqs\": 16},\n"
    "   \"variants\": {\"recompute\": {}, \"swap\": {\"evict\": \"swap\", \"proactive-swap\": "
    "true}}}\n"
    "\n"
    "  trace          a trace file, looked for beside the plan and in the current folder, or a\n"
    "                 workload plan (its file, or as above)\n"
    "  policies       as POLICY of 'run'; may be left out where systems are given\n"
    "  systems        named systems, see 'tokenyard list systems'\n"
    "  request_rates  requests/s\n"
    "  requests       the first so many of the trace, at each of the request rates\n"
    "  seeds          of a workload plan: how many, or which ones ([1, 5])\n"
    "  options        options of 'run' without the dashes (\"bound\": true sets each mean JCT\n"
    "                 beside a lower bound on that of any schedule)\n"
    "  variants       named sets of options, each laid over 'options'; a \"trace\" in one is laid\n"
    "                 over the plan's\n"
    "\n"
    "Only 'trace' and one of 'policies' and 'systems' must be there. The result folder holds\n"
    "summary.csv with one row per cell, run.json and plan.json; 'tokenyard report DIR' draws the\n"
    "latency against the rate.\n"
    "\n"
    "Each cell is kept in DIR/cells as soon as it has ended, under a name made of its settings, "
    "its\n"
    "trace and this program. So a sweep that was stopped, even by kill -9, goes on where it was\n"
    "when it is called again, and one whose plan has grown runs only what is new. The results are\n"
    "the same bytes however often it was stopped and however many jobs there are. 'rm -r\n"
    "DIR/cells' makes it begin anew.\n"
    "\n"
    "Elsewhere, e.g. in a Slurm array: carry out the lines of --list-cells --out DIR in any order\n"
    "and any number, then call sweep with the same DIR, which only puts the results together.\n"
    "\n"
    "Examples:\n"
    "  tokenyard sweep experiments/configs/plans/swap-ablation.json\n"
    "  tokenyard report out/swap-ablation\n"
    "  tokenyard sweep plan.json --limit 50                       # a quick trial of every cell\n"
    "  tokenyard sweep plan.json --list-cells --out results | parallel && \\\n"
    "      tokenyard sweep plan.json --out results\n\n";

std::vector<OptionRow> option_rows() {
  return {
      {"out", "DIR",
       "the result folder, replacing earlier results (out/NAME for a plan NAME.json)"},
      {"jobs", "N",
       "cells that run at a time; 0: one a core (0; always one with --executor engine)"},
      {"on", "WHERE",
       "ray: cells run as tasks of Ray (the cluster of RAY_ADDRESS, or one made here); with --jobs "
       "N in flight"},
      {"keep-cells", "", "write each cell's requests.csv too, into DIR/CELL"},
      {"list-cells", "",
       "run nothing; print a command line for each cell, which writes to DIR/cells if --out is "
       "given"},
      {"limit", "N", "only the first N requests of each cell (the plan's)"},
      {"json", "", "machine-readable results on standard output"},
      {"quiet", "", "neither table nor progress"},
      {"help", "", "this text"},
  };
}

void print_cells(const std::vector<SweepCell>& cells, const std::optional<std::string>& out) {
  std::vector<std::string> names;
  if (out) names = cell_names(cells);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    std::vector<std::string> words =
        out ? cell_words(cells[i], names[i], *out) : run_words(cells[i].run);
    words.insert(words.begin(), "tokenyard");
    fmt::print("{}\n", shell_line(words));
  }
}

/// Cells that write files of their own need a place for them.
void refuse_lost_files(const CommandLine& line, const std::vector<SweepCell>& cells) {
  const bool kept = line.flag("list-cells") ? line.has("out") : line.flag("keep-cells");
  for (const SweepCell& cell : cells) {
    if (kept || !(cell.run.iterations || cell.run.timeline)) continue;
    line.refuse(fmt::format("the plan asks for iterations or timeline; give --{}",
                            line.flag("list-cells") ? "out DIR" : "keep-cells"));
  }
}

}  // namespace

int run_sweep_command(const std::vector<std::string>& arguments) {
  const std::vector<OptionRow> rows = option_rows();
  const CommandLine line("sweep", arguments, rows);
  if (line.flag("help")) {
    fmt::print("{}{}", kUsage, options_help(rows));
    return 0;
  }
  const auto& positionals = line.positionals();
  if (positionals.empty()) line.refuse("no PLAN given; see 'tokenyard sweep --help'");
  if (positionals.size() > 1) {
    line.refuse(fmt::format("one PLAN is enough; what is '{}'?", printable(positionals[1])));
  }
  std::optional<std::int64_t> limit;
  if (line.has("limit")) limit = line.integer("limit", 1, 4'000'000'000, 1);
  const SweepPlan plan = read_sweep_plan(positionals.front());
  const std::vector<SweepCell> cells = cells_of(plan, limit);
  refuse_lost_files(line, cells);
  if (line.flag("list-cells")) {
    print_cells(cells, line.value("out"));
    return 0;
  }
  const std::string out = line.value("out").value_or(
      "out/" + safe_file_name(fs::path(positionals.front()).stem().string()));
  SweepOptions options;
  options.out = out;
  options.keep_cells = line.flag("keep-cells");
  options.quiet = line.flag("quiet");
  options.jobs = static_cast<std::size_t>(line.integer("jobs", 0, kMostJobs, 0));
  if (const auto where = line.value("on")) {
    if (*where != "ray") {
      line.refuse(fmt::format("--on: expected ray, found '{}'", printable(*where)));
    }
    options.on_ray = true;
  }
  const SweepResults done = run_sweep(plan, cells, options);
  for (const std::string& repair : done.repairs) {
    fmt::print(stderr, "tokenyard: note: {}\n", repair);
  }

  std::vector<Summary> summaries;
  for (const RunResult& result : done.results.runs) summaries.push_back(result.summary);
  if (line.flag("json")) {
    fmt::print("{}", results_json(done.results));
  } else if (!line.flag("quiet")) {
    fmt::print("{}", sweep_table(summaries));
    for (const std::string& note : done.results.notes) fmt::print("note: {}\n", note);
    if (done.found > 0) {
      fmt::print("{} of {} cells were there already\n", done.found, done.runs);
    }
    fmt::print("results are in {}\n", out);
  }
  return 0;
}

}  // namespace tokenyard
