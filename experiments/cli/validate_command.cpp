#include "experiments/cli/validate_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>

#include "experiments/cli/profile_progress.hpp"
#include "experiments/cli/run_options.hpp"
#include "experiments/record/result_folder.hpp"
#include "experiments/run_json.hpp"
#include "experiments/validate/validate_run.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

constexpr const char* kUsage =
    "tokenyard validate TRACE POLICY... --weights W [options]\n"
    "\n"
    "Runs the same requests live on the engine (several times, on the wall clock) and simulated,\n"
    "with the same advice, limits and KV pools, and says how far the simulation is off: JCT, TTFT\n"
    "and TPOT of each policy; each iteration of the live runs, charged by the cost model; and\n"
    "whether both put the policies in the same order. Without --cost the engine is profiled (see\n"
    "'tokenyard profile') by turns with the live runs, since a computer's speed drifts: a few\n"
    "rounds first, whose costs advise the policies in all runs and set the rate for --load, then\n"
    "at least one round after every live run. All rounds together make the costs that charge the\n"
    "simulations. Leave the computer alone meanwhile: whatever else it does is in the live runs.\n"
    "\n"
    "Goals: mean JCT within 3 %, p99 JCT within 5 % (both 10 % above a load of 0.9), or the\n"
    "half-width of the live runs' own 95 % interval where that is larger; iterations within 1 %\n"
    "in total, and 5 % at p95, or what live runs in total, and live iterations of equal load,\n"
    "differ by where that is larger (whether the plain goals are met is told beside it); the\n"
    "ranking of mean JCT kept for every pair of policies that the live runs tell apart. Exit\n"
    "status 0: all met; 1: not all.\n"
    "\n"
    "  tokenyard validate '{\"requests\":200,\"arrivals\":\"poisson:rate=1\",\n"
    "      \"lengths\":\"zipf:theta=0.6,min=8,max=256\"}' fcfs skip-join-mlfq srpt \\\n"
    "      --weights random:llama-134m --max-num-seqs 8 \\\n"
    "      --load 0.8 --out validation\n"
    "\n"
    "The options of 'run' apply but for those of single runs:\n\n";

std::vector<OptionRow> option_rows() {
  std::vector<OptionRow> rows = {
      {"repeat", "N", "live runs of each policy (5)"},
      {"load", "SHARE",
       "requests come at this share of what the first policy can serve, by simulation (as "
       "--request-rate or the trace say)"},
      {"profile-seconds", "S",
       "of measuring in all, without --cost; longer where three rounds and one after each live run "
       "take longer (90)"},
      {"out", "DIR",
       "write metrics.csv, iteration_errors.csv, iterations.csv, pairs.csv, summary.csv, "
       "cost.json, and advice.json where other costs advised"},
  };
  constexpr std::string_view kNot[] = {"out",      "cell",   "repeat",  "until",
                                       "timeline", "record", "bound",   "iterations",
                                       "executor", "clock",  "resample"};
  for (OptionRow& row : run_option_rows()) {
    const bool left_out = std::find(std::begin(kNot), std::end(kNot), row.name) != std::end(kNot);
    if (!left_out) rows.push_back(std::move(row));
  }
  return rows;
}

void write_files(const ValidationResults& results, const std::vector<std::string>& arguments,
                 ResultFolder& folder) {
  const auto write = [&](const char* name, const std::string& text) {
    write_text_file(folder.path() / name, text);
  };
  write("metrics.csv", metrics_csv(results.validation));
  write("iteration_errors.csv", iteration_errors_csv(results.validation));
  write("iterations.csv", iterations_csv(results.runs));
  write("pairs.csv", pairs_csv(results.validation));
  write("cost.json", results.cost);
  if (!results.advice.empty()) write("advice.json", results.advice);
  std::vector<Summary> summaries;
  for (const LiveAndSimulated& run : results.runs) {
    for (std::size_t i = 0; i <= run.live.size(); ++i) {
      const bool live = i < run.live.size();
      summaries.push_back(live ? run.live[i] : run.simulated);
      summaries.back().key.label =
          live ? fmt::format("{} live {}", run.policy, i + 1) : run.policy + " simulated";
    }
  }
  write("summary.csv", summary_csv(summaries));
  nlohmann::ordered_json json;
  json["tokenyard"] = version();
  json["command"] = "validate";
  json["arguments"] = arguments;
  json["request_rate"] = results.request_rate;
  json["load"] = results.load;
  json["notes"] = results.notes;
  constexpr auto kReplace = nlohmann::ordered_json::error_handler_t::replace;
  write("run.json", json.dump(2, ' ', false, kReplace) + "\n");
  folder.commit();
}

}  // namespace

int run_validate_command(const std::vector<std::string>& arguments) {
  const std::vector<OptionRow> rows = option_rows();
  const CommandLine line("validate", arguments, rows);
  if (line.flag("help")) {
    fmt::print("{}{}", kUsage, options_help(rows));
    return 0;
  }
  ValidationPlan plan;
  plan.run = run_plan_of(line);
  if (!line.has("weights")) line.refuse("no --weights given; live runs need an engine");
  plan.repetitions = line.integer("repeat", 1, 1000, 5);
  plan.profile.allowed = std::chrono::seconds(line.integer("profile-seconds", 0, 1'000'000, 90));
  if (const auto load = line.value("load")) {
    plan.load = parse_number(*load);
    if (!plan.load || !(*plan.load > 0) || *plan.load > 100) {
      line.refuse(fmt::format("--load: expected a share above 0, found '{}'", printable(*load)));
    }
  }
  const auto out = line.value("out");
  std::optional<ResultFolder> folder;  // refused now, if it is, and not after an hour
  if (out) folder.emplace(*out);
  const bool talks = !line.flag("json") && !plan.run.quiet;
  const ValidationResults results = [&] {
    std::optional<ProfileProgress> progress(std::in_place, !talks);
    return run_validation(plan, [&](std::int64_t done, std::int64_t of) {
      if (progress) progress->show(done, of);
      if (done == of) progress.reset();
    });
  }();
  if (folder) write_files(results, arguments, *folder);
  if (!talks) {
    if (line.flag("json")) fmt::print("{}", validation_json(results.validation));
    return results.validation.met() ? 0 : 1;
  }
  fmt::print("{:.4g} requests/s, a load of {:.2f}; {} live runs of each policy\n\n{}",
             results.request_rate, results.load, plan.repetitions,
             validation_text(results.validation));
  for (const std::string& note : results.notes) fmt::print("note: {}\n", note);
  if (out) fmt::print("results are in {}\n", *out);
  return results.validation.met() ? 0 : 1;
}

}  // namespace tokenyard
