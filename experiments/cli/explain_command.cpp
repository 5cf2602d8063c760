#include "experiments/cli/explain_command.hpp"

#include <fmt/format.h>

#include <optional>

#include "experiments/cli/command_line.hpp"
#include "experiments/explain/explanation.hpp"
#include "experiments/run_json.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

constexpr const char* kUsage =
    "tokenyard explain DIR [--request ID] [options]\n"
    "\n"
    "Says where time went in the runs of a result folder ('tokenyard run --out DIR').\n"
    "\n"
    "With --request ID (as in requests.csv): that request's life as a waterfall, and whom it\n"
    "waited behind. It waits whenever it is not in the batch; each nanosecond of that is shared\n"
    "out among the requests that ran meanwhile, by the tokens that each had computed, and the\n"
    "shares add up to the waiting exactly. 'first turn' is its time in the queue, 'later' the "
    "time\n"
    "held back, evicted or waiting for copies of its KV.\n"
    "\n"
    "Without: for each run a table of how long requests of each class waited while those of each\n"
    "class ran. Much waiting of short requests in the columns of long ones is head-of-line\n"
    "blocking. 'nobody' is when nothing ran at all, for copies or a policy that holds back.\n"
    "\n"
    "Nothing is kept for this while a run goes on: it is run again from run.json and its trace,\n"
    "and must end as its requests.csv says, to the last byte.\n"
    "\n"
    "Examples:\n"
    "  tokenyard run trace.csv fcfs srpt --model opt-13b --device a100-40g --out results\n"
    "  tokenyard explain results\n"
    "  tokenyard explain results --by prompt --label fcfs\n"
    "  tokenyard explain results --label fcfs --request 17 --top 5\n\n";

std::vector<OptionRow> option_rows() {
  return {{"request", "ID", "one request, as the trace names it"},
          {"label", "LABEL", "one run of the folder (all of them)"},
          {"by", "CLASS", "classes: output or prompt (tokens), tenant, priority (output)"},
          {"top", "N", "how many requests are listed by name (10)"},
          {"trace", "FILE", "where the trace is now (where run.json says)"},
          {"json", "", "machine-readable result on standard output, with everything"},
          {"quiet", "",
           "nothing on standard output: the exit status says whether it can be run "
           "again"},
          {"help", "", "this text"}};
}

}  // namespace

int run_explain_command(const std::vector<std::string>& arguments) {
  const std::vector<OptionRow> rows = option_rows();
  const CommandLine line("explain", arguments, rows);
  if (line.flag("help")) {
    fmt::print("{}{}", kUsage, options_help(rows));
    return 0;
  }
  const auto& positionals = line.positionals();
  if (positionals.empty()) line.refuse("no DIR given; see 'tokenyard explain --help'");
  if (positionals.size() > 1) {
    line.refuse(fmt::format("one DIR is enough; what is '{}'?", printable(positionals[1])));
  }
  const auto request = line.value("request");
  if (request && line.has("by")) line.refuse("--by sorts all requests, --request is about one");
  constexpr std::int64_t kMostListed = 1'000'000;
  constexpr std::int64_t kListed = 10;
  const auto top = static_cast<std::size_t>(line.integer("top", 0, kMostListed, kListed));

  const RecordedRuns runs(positionals.front(), line.value("trace").value_or(""));
  std::vector<std::string> labels = runs.labels();
  if (const auto label = line.value("label")) labels = {*label};
  std::string json, text;
  for (const std::string& label : labels) {
    const RecordedRun run = runs.find(label);
    json += json.empty() ? "" : ",\n";
    text += text.empty() ? "" : "\n";
    if (request) {
      const RequestExplanation explanation = explain_request(runs, run, *request);
      json += explanation_json(explanation);
      text += explanation_text(explanation, top);
    } else {
      const std::string by = line.value("by").value_or("output");
      const ClassExplanation explanation = explain_classes(runs, run, by);
      json += explanation_json(explanation);
      text += explanation_text(explanation);
    }
  }
  if (line.flag("json")) {
    fmt::print("{{\"tokenyard\":\"{}\",\"runs\":[\n{}\n]}}\n", version(), json);
  } else if (!line.flag("quiet")) {
    fmt::print("{}", text);
  }
  return 0;
}

}  // namespace tokenyard
