#include "experiments/cli/replay_command.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "experiments/cli/command_line.hpp"
#include "experiments/replay.hpp"
#include "experiments/run_json.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

constexpr const char* kUsage =
    "tokenyard replay RECORD [options]\n"
    "\n"
    "Feeds a scheduler what a flight record ('tokenyard run --record FILE', live or simulated) "
    "says\n"
    "that each pass was fed, with no clock, executor or trace, and compares what it decides with\n"
    "what the record says was decided: who runs, on which blocks, and what is copied.\n"
    "\n"
    "Examples:\n"
    "  tokenyard run trace.csv srpt --model opt-13b --device a100-40g --record flight.jsonl.gz\n"
    "  tokenyard replay flight.jsonl.gz\n"
    "\n"
    "Exit status: 0 all decisions are identical; 1 they differ, and the first that does is shown; "
    "2\n"
    "the record tells what cannot be. A record that breaks off (its run was stopped) is compared "
    "as\n"
    "far as it goes.\n\n";

std::string seconds(Time at) {
  return format_seconds(at - kOrigin);
}

std::string as_json(const FlightReader& record, const ReplayResult& result) {
  nlohmann::ordered_json json;
  json["tokenyard"] = version();
  json["policy"] = record.header().policy;
  json["passes"] = result.passes;
  json["iterations"] = result.iterations;
  json["complete"] = result.complete;
  json["identical"] = !result.difference;
  if (result.difference) {
    auto& difference = json["difference"];
    difference["pass"] = result.difference->pass;
    difference["at_s"] = seconds(result.difference->at);
    difference["line"] = result.difference->line;
    difference["recorded"] = result.difference->recorded;
    difference["replayed"] = result.difference->replayed;
  }
  using Json = nlohmann::ordered_json;
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string as_text(const FlightReader& record, const ReplayResult& result) {
  std::string text =
      fmt::format("{}, recorded by version {}: {} passes with {} iterations ",
                  printable(record.header().policy), printable(record.header().version),
                  result.passes, result.iterations);
  if (const auto& difference = result.difference) {
    text += fmt::format(
        "are identical; pass {} differs, at {} s ({}:{})\n"
        "recorded: {}\nreplayed: {}\n",
        difference->pass, seconds(difference->at), record.path(), difference->line,
        difference->recorded, difference->replayed);
    return text;
  }
  text += "compared: identical\n";
  if (result.broke_off) text += "note: the last line is incomplete and was left out\n";
  if (!result.complete) text += "note: the record breaks off before the end of the run\n";
  return text;
}

}  // namespace

int run_replay_command(const std::vector<std::string>& arguments) {
  const std::vector<OptionRow> rows = {{"json", "", "machine-readable result on standard output"},
                                       {"quiet", "", "nothing but the exit status"},
                                       {"help", "", "this text"}};
  const CommandLine line("replay", arguments, rows);
  if (line.flag("help")) {
    fmt::print("{}{}", kUsage, options_help(rows));
    return 0;
  }
  const auto& positionals = line.positionals();
  if (positionals.empty()) line.refuse("no RECORD given; see 'tokenyard replay --help'");
  if (positionals.size() > 1) {
    line.refuse(fmt::format("one RECORD is enough; what is '{}'?", printable(positionals[1])));
  }
  FlightReader record(positionals.front());
  const ReplayResult result = replay(record);
  if (line.flag("json")) {
    fmt::print("{}", as_json(record, result));
  } else if (!line.flag("quiet")) {
    fmt::print("{}", as_text(record, result));
  }
  return result.difference ? 1 : 0;
}

}  // namespace tokenyard
