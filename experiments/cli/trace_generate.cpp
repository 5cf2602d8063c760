#include "experiments/cli/trace_generate.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <limits>
#include <vector>

#include "experiments/cli/trace_arguments.hpp"
#include "experiments/cli/trace_output.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"
#include "traces/arrivals.hpp"
#include "traces/generate.hpp"
#include "traces/lengths.hpp"
#include "traces/request_extras.hpp"
#include "traces/sessions.hpp"
#include "traces/writer.hpp"

namespace tokenyard {

namespace {

constexpr std::int64_t kMostSeed = std::numeric_limits<std::int64_t>::max();

std::vector<OptionRow> generate_options() {
  const std::vector<OptionRow> drawing = {
      {"requests", "N", "how many requests to draw"},
      {"duration", "S", "draw the requests of S seconds (or N, if that is fewer)"},
      {"arrivals", "SPEC", "when they arrive, see below"},
      {"lengths", "SPEC", "how long prompts and outputs are, see below"},
      {"sessions", "SPEC", "conversations of several turns, see below (none)"},
      {"prefix", "SPEC", "prompts that begin alike, see below (none)"},
      {"n", "SHARES", "samples for each prompt (1)"},
      {"best-of", "SHARES", "samples decoded to choose n of them (n)"},
      {"beam-width", "SHARES", "beams, where above 1"},
      {"tenants", "N|SHARES", "whom requests belong to: N equal tenants, or named ones"},
  };
  const std::vector<OptionRow> writing = {
      {"seed", "N", "same seed, same bytes (1)"},
      {"out", "FILE", "where to write: .jsonl or .csv, optionally followed by .gz"}};
  return joined({drawing, scaling_options(), writing, describing_options()});
}

std::string generators_text(const std::vector<GeneratorHelp>& generators) {
  std::string text;
  for (const auto& generator : generators) {
    text += fmt::format("  {:<20}{}\n", generator.name, generator.summary);
    for (const auto& parameter : generator.parameters) {
      text += fmt::format("    {:<18}{} [{}; {}{}]\n", parameter.name + "=", parameter.help,
                          parameter.type, parameter.fallback == "required" ? "" : "default ",
                          parameter.fallback);
    }
  }
  return text;
}

constexpr const char* kUsage =
    "usage: tokenyard trace generate --requests N --arrivals SPEC --lengths SPEC --out "
    "FILE\n\n"
    "Draws a workload and writes it as a trace. What is random about a request depends on\n"
    "the seed and its own number alone, so a longer trace begins with the shorter one.\n\n"
    "options:\n";

/// What follows the options.
std::string generate_specs() {
  return "\nA SPEC is a name, or name:key=value,key=value. SHARES are one value, or values with\n"
         "their weights: 1:0.9/4:0.1 is 1 nine times out of ten, else 4.\n\narrivals:\n" +
         generators_text(list_arrivals()) + "\nlengths:\n" + generators_text(list_lengths()) +
         "\nsessions:\n" + generators_text(list_sessions()) + "\nprefix:\n" +
         generators_text(list_prefixes()) +
         "\nexamples:\n"
         "  tokenyard trace generate --requests 4000 --arrivals poisson:rate=3.6 \\\n"
         "      --lengths sharegpt-like --seed 1 --out chat.jsonl\n"
         "  tokenyard trace generate --requests 1000 --arrivals gamma:rate=2,cv=4 \\\n"
         "      --lengths fixed:prompt=512,output=128 --out bursty.csv.gz\n"
         "  tokenyard trace generate --requests 100 --arrivals burst: \\\n"
         "      --lengths dataset:lengths.csv --out all-at-once.csv\n"
         "  tokenyard trace generate --duration 3600 --arrivals mmpp:rates=1/20,sojourns_s=60/5 "
         "\\\n"
         "      --lengths zipf:theta=0.9,min=64,max=4096,prompt_to_output=4 --out on-off.jsonl\n"
         "  tokenyard trace generate --duration 600 --arrivals "
         "servegen:folder=m-small,start_s=43200 "
         "\\\n      --out clients.jsonl.gz\n"
         "  tokenyard trace generate --requests 1000 --arrivals closed:users=20,think_s=5 \\\n"
         "      --lengths sharegpt-like --out users.jsonl\n"
         "  tokenyard trace generate --requests 1000 --arrivals poisson:rate=0.5 \\\n"
         "      --lengths sharegpt-like --sessions chat:turns=6,think_s=20 --out chats.jsonl\n"
         "  tokenyard trace generate --requests 1000 --arrivals poisson:rate=4 \\\n"
         "      --lengths alpaca-like --prefix shared:groups=20,tokens=512,theta=1 --n 1:9/4:1 \\\n"
         "      --tenants gold:1/free:3 --out shared.jsonl\n";
}

}  // namespace

int run_trace_generate(std::span<const std::string> args) {
  const auto given =
      line_or_help("trace generate", args, generate_options(), kUsage, generate_specs());
  if (!given) return 0;
  const CommandLine& line = *given;
  if (!line.positionals().empty()) {
    line.refuse(fmt::format("unexpected argument '{}'", printable(line.positionals().front())));
  }
  WorkloadPlan plan;
  if (line.has("duration")) {
    plan.duration_s = number_option(line, "duration", 1e-9, to_seconds(kLongest));
  } else if (!line.has("requests")) {
    line.refuse("--requests is required (or --duration)");
  }
  if (line.has("requests")) plan.requests = line.integer("requests", 1, kMostRequests, 1);
  plan.arrivals = required_option(line, "arrivals");
  plan.lengths = line.value("lengths").value_or("");
  plan.sessions = line.value("sessions").value_or("");
  plan.prefix = line.value("prefix").value_or("");
  plan.n = line.value("n").value_or("");
  plan.best_of = line.value("best-of").value_or("");
  plan.beam_width = line.value("beam-width").value_or("");
  plan.tenants = line.value("tenants").value_or("");
  plan.scale_rate = scale_factor(line, "scale-rate");
  plan.scale_lengths = scale_factor(line, "scale-lengths");
  const std::string out = required_option(line, "out");
  const std::int64_t seed = line.integer("seed", 0, kMostSeed, 1);
  check_trace_form(out);
  write_and_describe(generate(plan, static_cast<std::uint64_t>(seed)), out, line);
  return 0;
}

}  // namespace tokenyard
