#include "experiments/cli/trace_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <limits>
#include <span>

#include "experiments/cli/command_line.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"
#include "traces/arrivals.hpp"
#include "traces/generate.hpp"
#include "traces/lengths.hpp"
#include "traces/reader.hpp"
#include "traces/transform.hpp"
#include "traces/writer.hpp"

namespace tokenyard {

namespace {

constexpr std::int64_t kMostSeed = std::numeric_limits<std::int64_t>::max();

std::vector<OptionRow> generate_options() {
  return {{"requests", "N", "how many requests to draw"},
          {"arrivals", "SPEC", "when they arrive, see below"},
          {"lengths", "SPEC", "how long prompts and outputs are, see below"},
          {"seed", "N", "same seed, same bytes (1)"},
          {"out", "FILE", "where to write: .jsonl or .csv, optionally followed by .gz"},
          {"json", "", "describe the result as JSON"},
          {"quiet", "", "print nothing"},
          {"help", "", "this text"}};
}

std::vector<OptionRow> convert_options() {
  return {{"format", "NAME", "the format of IN, where its first line does not tell"},
          {"zero", "drop|clamp|error", "what rows with zero tokens get (drop)"},
          {"limit", "N", "the first N requests"},
          {"json", "", "describe the result as JSON"},
          {"quiet", "", "print nothing"},
          {"help", "", "this text"}};
}

std::string generators_text(const std::vector<GeneratorHelp>& generators) {
  std::string text;
  for (const auto& generator : generators) {
    text += fmt::format("  {:<16}{}\n", generator.name, generator.summary);
    for (const auto& parameter : generator.parameters) {
      text += fmt::format("    {:<14}{} [{}; {}{}]\n", parameter.name + "=", parameter.help,
                          parameter.type, parameter.fallback == "required" ? "" : "default ",
                          parameter.fallback);
    }
  }
  return text;
}

std::string generate_help() {
  return "usage: tokenyard trace generate --requests N --arrivals SPEC --lengths SPEC --out "
         "FILE\n\n"
         "Draws a workload and writes it as a trace. A request depends on the seed and its own\n"
         "number alone, so a longer trace begins with the shorter one.\n\n"
         "options:\n" +
         options_help(generate_options()) +
         "\nA SPEC is a name, or name:key=value,key=value.\n\narrivals:\n" +
         generators_text(list_arrivals()) + "\nlengths:\n" + generators_text(list_lengths()) +
         "\nexamples:\n"
         "  tokenyard trace generate --requests 4000 --arrivals poisson:rate=3.6 \\\n"
         "      --lengths sharegpt-like --seed 1 --out chat.jsonl\n"
         "  tokenyard trace generate --requests 1000 --arrivals gamma:rate=2,cv=4 \\\n"
         "      --lengths fixed:prompt=512,output=128 --out bursty.csv.gz\n"
         "  tokenyard trace generate --requests 100 --arrivals burst: \\\n"
         "      --lengths dataset:lengths.csv --out all-at-once.csv\n";
}

std::string convert_help() {
  std::string formats;
  for (const auto& reader : trace_readers()) {
    formats += fmt::format("  {:<12}{}\n", reader.name, reader.summary);
  }
  return "usage: tokenyard trace convert IN OUT\n\n"
         "Reads a trace in any known format and writes it in the canonical one: .jsonl or .csv,\n"
         "optionally followed by .gz.\n\noptions:\n" +
         options_help(convert_options()) + "\nformats:\n" + formats +
         "\nexample:\n"
         "  tokenyard trace convert AzureLLMInferenceTrace_conv.csv conv.jsonl.gz\n";
}

std::string trace_help() {
  return "usage: tokenyard trace VERB ...\n\n"
         "  generate   draw a workload and write it as a trace\n"
         "  convert    rewrite a trace of any known format in the canonical one\n\n"
         "tokenyard trace VERB --help says more.\n";
}

std::string counts_text(const TraceCounts& counts) {
  std::string text = fmt::format("{} rows read", counts.read);
  for (const auto& dropped : counts.dropped) {
    text += fmt::format(", {} dropped ({})", dropped.rows, dropped.reason);
  }
  if (counts.clamped > 0) text += fmt::format(", {} clamped to one token", counts.clamped);
  if (counts.unsorted > 0) text += fmt::format(", {} out of order (sorted)", counts.unsorted);
  return text;
}

/// One line (or JSON) on what was written.
std::string description(const Trace& trace, const std::string& path, bool json) {
  double input = 0;
  double output = 0;
  for (const auto& request : trace.requests) {
    input += static_cast<double>(request.input_tokens);
    output += static_cast<double>(request.output_tokens);
  }
  const auto count = static_cast<double>(trace.requests.size());
  const RequestTable& requests = trace.requests;
  const Duration span = requests.arrival(requests.size() - 1) - requests.arrival(0);
  const double rate = mean_rate(trace);
  if (json) {
    std::int64_t dropped = 0;
    for (const auto& rows : trace.counts.dropped) dropped += rows.rows;
    return fmt::format(
        R"({{"out":{},"requests":{},"read":{},"dropped":{},"span_s":{},"request_rate":{},)"
        R"("input_tokens_mean":{},"output_tokens_mean":{},"digest":"{}"}})"
        "\n",
        json_text(path), trace.requests.size(), trace.counts.read, dropped, format_seconds(span),
        format_number(rate), format_number(input / count), format_number(output / count),
        trace.digest);
  }
  return fmt::format(
      "{}: {} requests over {:.1f} s{}, mean prompt {:.1f} and output {:.1f} tokens ({})\n", path,
      trace.requests.size(), to_seconds(span), rate > 0 ? fmt::format(" ({:.2f}/s)", rate) : "",
      input / count, output / count, counts_text(trace.counts));
}

void finish(const Trace& trace, const std::string& path, const CommandLine& line) {
  write_trace(trace, path);
  if (!line.flag("quiet")) {
    fmt::print("{}", description(trace, path, line.flag("json")));
  }
}

std::string required(const CommandLine& line, std::string_view option) {
  const auto value = line.value(option);
  if (!value) line.refuse(fmt::format("--{} is required", option));
  return *value;
}

int run_generate(std::span<const std::string> args) {
  const CommandLine line("trace generate", args, generate_options());
  if (line.flag("help")) {
    fmt::print("{}", generate_help());
    return 0;
  }
  if (!line.positionals().empty()) {
    line.refuse(fmt::format("unexpected argument '{}'", printable(line.positionals().front())));
  }
  required(line, "requests");
  WorkloadPlan plan;
  plan.arrivals = required(line, "arrivals");
  plan.lengths = required(line, "lengths");
  const std::string out = required(line, "out");
  plan.requests = line.integer("requests", 1, kMostRequests, 1);
  const std::int64_t seed = line.integer("seed", 0, kMostSeed, 1);
  check_trace_ending(out);
  finish(generate(plan, static_cast<std::uint64_t>(seed)), out, line);
  return 0;
}

int run_convert(std::span<const std::string> args) {
  const CommandLine line("trace convert", args, convert_options());
  if (line.flag("help")) {
    fmt::print("{}", convert_help());
    return 0;
  }
  if (line.positionals().size() != 2) {
    line.refuse(
        fmt::format("two files are needed, IN and OUT; {} given", line.positionals().size()));
  }
  const std::string& out = line.positionals()[1];
  check_trace_ending(out);
  ReadOptions options;
  options.format = line.value("format").value_or("");
  if (const auto zero = line.value("zero")) options.zero = parse_zero_tokens(*zero);
  if (line.has("limit")) options.limit = line.integer("limit", 1, kMostRequests, 1);
  finish(read_trace(line.positionals()[0], options), out, line);
  return 0;
}

}  // namespace

int run_trace_command(const std::vector<std::string>& args) {
  if (args.empty()) {
    throw InputError("trace: a trace command is needed: generate or convert (--help says more)");
  }
  if (args[0] == "--help" || args[0] == "-h" || args[0] == "help") {
    fmt::print("{}", trace_help());
    return 0;
  }
  const auto rest = std::span(args).subspan(1);
  if (args[0] == "generate") return run_generate(rest);
  if (args[0] == "convert") return run_convert(rest);
  const std::vector<std::string> verbs = {"generate", "convert"};
  throw InputError(fmt::format("unknown trace command '{}'{}; there are: {}", printable(args[0]),
                               suggestion(args[0], verbs), fmt::join(verbs, ", ")));
}

}  // namespace tokenyard
