// tokenyard: one executable, one verb a command.

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <system_error>
#include <vector>

#include "experiments/cli/capacity_command.hpp"
#include "experiments/cli/compare_command.hpp"
#include "experiments/cli/explain_command.hpp"
#include "experiments/cli/generate_command.hpp"
#include "experiments/cli/list_command.hpp"
#include "experiments/cli/profile_command.hpp"
#include "experiments/cli/replay_command.hpp"
#include "experiments/cli/report_command.hpp"
#include "experiments/cli/reproduce_command.hpp"
#include "experiments/cli/run_command.hpp"
#include "experiments/cli/sweep_command.hpp"
#include "experiments/cli/trace_command.hpp"
#include "experiments/cli/validate_command.hpp"
#include "experiments/interrupt.hpp"
#include "experiments/run_json.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/kernel/invariant.hpp"
#include "sim/kernel/text.hpp"

namespace {

struct Verb {
  const char* name;
  const char* summary;
  int (*run)(const std::vector<std::string>& arguments);
};

constexpr Verb kVerbs[] = {
    {"run", "replay a trace under each policy and compare", tokenyard::run_run_command},
    {"sweep", "run a grid of policies, rates, seeds and settings", tokenyard::run_sweep_command},
    {"compare", "two result folders: what changed, how surely, and whether it may",
     tokenyard::run_compare_command},
    {"explain", "where a request's time went, and whom requests waited behind",
     tokenyard::run_explain_command},
    {"capacity", "the highest request rate that keeps service level objectives",
     tokenyard::run_capacity_command},
    {"profile", "measure the engine, or import measurements, as a cost model",
     tokenyard::run_profile_command},
    {"validate", "the same trace live and simulated: errors, and the ranking of policies in both",
     tokenyard::run_validate_command},
    {"replay", "feed a recorded run to a scheduler again and compare its decisions",
     tokenyard::run_replay_command},
    {"report", "plots and one HTML page from a result folder", tokenyard::run_report_command},
    {"reproduce", "rerun a published evaluation and set it beside the published figures",
     tokenyard::run_reproduce_command},
    {"trace", "generate and convert traces", tokenyard::run_trace_command},
    {"generate", "offline inference with the real engine", tokenyard::run_generate_command},
    {"list", "policies, systems, models, devices and other names", tokenyard::run_list_command},
};

constexpr int kWrongUsage = 2;
constexpr int kInvariantBroke = 3;
constexpr int kInterrupted = 130;  // as shells have it

void print_help() {
  fmt::print(
      "tokenyard runs one scheduler over recorded traces and compares policies for LLM serving.\n\n"
      "usage: tokenyard COMMAND [arguments] [--help]\n\n");
  for (const Verb& verb : kVerbs) fmt::print("  {:<9} {}\n", verb.name, verb.summary);
  fmt::print(
      "\nA first run:\n"
      "  tokenyard trace generate --requests 400 --arrivals poisson:rate=2 --lengths sharegpt-like "
      "\\\n      --seed 1 --out chat.jsonl\n"
      "  tokenyard run chat.jsonl fcfs skip-join-mlfq srpt --model opt-13b --device a100-40g \\\n"
      "      --max-num-seqs 16 --out results\n"
      "  tokenyard report results\n"
      "\nExit status: 0 done; 1 the answer is no; 2 wrong usage or bad input; 3 a fault of this "
      "program.\n");
}

int dispatch(const std::vector<std::string>& arguments) {
  if (arguments.empty()) {
    print_help();
    return kWrongUsage;
  }
  const std::string& verb = arguments.front();
  if (verb == "--help" || verb == "-h" || verb == "help") {
    print_help();
    return 0;
  }
  if (verb == "--version") {
    fmt::print("tokenyard {}\n", tokenyard::version());
    return 0;
  }
  std::vector<std::string> names;
  for (const Verb& known : kVerbs) {
    if (verb == known.name) return known.run({arguments.begin() + 1, arguments.end()});
    names.emplace_back(known.name);
  }
  throw tokenyard::InputError(fmt::format("unknown command '{}'{}; see 'tokenyard --help'",
                                          tokenyard::printable(verb),
                                          tokenyard::suggestion(verb, names)));
}

/// One line on standard error, whatever the names of files hold; where that fails too there is
/// nobody left to tell.
int fail(int status, const std::string& message) {
  std::string line = "tokenyard: ";
  for (const char& each : message) line += tokenyard::printable({&each, 1});
  line += '\n';
  std::fputs(line.c_str(), stderr);
  return status;
}

int run(const std::vector<std::string>& arguments) {
  tokenyard::note_interrupts();
  try {
    const int status = dispatch(arguments);
    if (std::fflush(stdout) == 0) return status;
    return fail(kWrongUsage, "standard output cannot be written");
  } catch (const tokenyard::Interrupted& error) {
    return fail(kInterrupted, error.what());
  } catch (const tokenyard::InputError& error) {
    return fail(kWrongUsage, error.what());
  } catch (const std::bad_alloc&) {
    return fail(kWrongUsage, "out of memory");
  } catch (const std::system_error& error) {
    return fail(kWrongUsage, error.what());
  } catch (const tokenyard::InvariantBroken& error) {
    return fail(kInvariantBroke, error.what());
  } catch (const std::exception& error) {
    return fail(kInvariantBroke, std::string("unexpected: ") + error.what());
  }
}

}  // namespace

int main(int argc, char** argv) {
  return run({argv + 1, argv + argc});
}
