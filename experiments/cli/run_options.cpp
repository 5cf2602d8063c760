#include "experiments/cli/run_options.hpp"

namespace tokenyard {

std::vector<OptionRow> run_option_rows() {
  std::vector<OptionRow> rows = {
      {"out", "DIR",
       "write a result folder (replacing an earlier one): run.json, summary.csv, "
       "LABEL/requests.csv"},
      {"cell", "", "as 'sweep --list-cells' prints it: one cell, unless DIR holds it already"},
      {"system", "NAME", "a named system, see 'list systems'; may repeat", true},
      {"seed", "N", "seed of everything random (the plan's, or 1)"},
      {"repeat", "N", "seeds of a workload plan, one run each, with intervals (1)"},
      {"until", "METRIC+-P%",
       "draw seeds until the metric's mean is known so well, 95 % sure (10 at least, --repeat at "
       "most: 1000); may repeat",
       true},
      {"format", "NAME", "the trace's format (recognised)"},
      {"zero", "RULE", "requests without tokens: drop, clamp or error (drop)"},
      {"trust-ids", "", "the trace's ids are known to be unique: do not keep all to compare them"},
      {"iterations", "", "write LABEL/iterations.csv"},
      {"timeline", "", "write LABEL/timeline.json, Chrome trace events for Perfetto"},
      {"bound", "",
       "set each mean JCT beside a lower bound on that of any schedule (docs/lower-bound.md)"},
      {"record", "FILE",
       "write what each pass was fed and decided, for 'tokenyard replay' (.gz allowed); one run"},
      {"json", "", "machine-readable results on standard output"},
      {"quiet", "", "neither table nor progress"},
      {"help", "", "this text"},
  };
  for (const SettingEntry& entry : setting_entries()) {
    rows.push_back({entry.name, entry.is_flag ? "" : "VALUE", entry.help, entry.repeats});
  }
  return rows;
}

RunPlan run_plan_of(const CommandLine& line) {
  RunPlan plan;
  if (line.positionals().empty()) line.refuse("no TRACE given; see --help");
  plan.trace = line.positionals().front();
  plan.policies.assign(line.positionals().begin() + 1, line.positionals().end());
  plan.systems = line.values("system");
  if (plan.policies.empty() && plan.systems.empty()) {
    line.refuse("no POLICY and no --system given; see --help");
  }
  plan.format = line.value("format").value_or("");
  plan.zero = line.value("zero").value_or("drop");
  plan.trust_ids = line.flag("trust-ids");
  if (line.has("seed")) {
    plan.seed = static_cast<std::uint64_t>(line.integer("seed", 0, 4'000'000'000'000'000'000, 1));
  }
  for (const std::string& goal : line.values("until")) {
    plan.until.push_back(parse_precision_goal(goal));
  }
  plan.repeat = line.integer("repeat", 1, 100'000, plan.until.empty() ? 1 : 1000);
  plan.iterations = line.flag("iterations");
  plan.timeline = line.flag("timeline");
  if ((plan.iterations || plan.timeline) && !line.has("out")) {
    line.refuse("--iterations and --timeline write into a result folder; give --out DIR");
  }
  plan.bound = line.flag("bound");
  plan.quiet = line.flag("quiet");
  plan.record = line.value("record").value_or("");
  for (const SettingEntry& entry : setting_entries()) {
    for (const std::string& value : line.values(entry.name)) {
      plan.settings.push_back({entry.name, value, std::string("--") + entry.name});
    }
  }
  return plan;
}

}  // namespace tokenyard
