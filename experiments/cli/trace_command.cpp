#include "experiments/cli/trace_command.hpp"

#include <fmt/format.h>

#include <span>

#include "experiments/cli/command_line.hpp"
#include "experiments/cli/trace_arguments.hpp"
#include "experiments/cli/trace_edit.hpp"
#include "experiments/cli/trace_generate.hpp"
#include "experiments/cli/trace_output.hpp"
#include "experiments/cli/trace_stats_command.hpp"
#include "experiments/trace_options.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"
#include "traces/generate.hpp"
#include "traces/reader.hpp"
#include "traces/writer.hpp"
#include "traces/writers/catalogue.hpp"

namespace tokenyard {

namespace {

std::vector<OptionRow> convert_options() {
  return joined({{{"to", "FORM", "the form of OUT, see below; else .jsonl or .csv decides"}},
                 reading_options("IN"),
                 {limit_option()},
                 scaling_options(),
                 describing_options()});
}

constexpr const char* kConvertUsage =
    "usage: tokenyard trace convert IN OUT\n\n"
    "Reads a trace in any known format and writes it in the canonical one, .jsonl or .csv, or\n"
    "in another (--to); optionally compressed, .gz or .zst. What OUT has no place for is told.\n"
    "\noptions:\n";

/// What follows the options.
std::string convert_forms() {
  std::string formats, forms;
  for (const auto& reader : trace_readers()) {
    formats += fmt::format("  {:<12}{}\n", reader.name, reader.summary);
  }
  for (const auto& writer : trace_writers()) {
    forms += fmt::format("  {:<12}{}\n", writer.name, writer.summary);
  }
  return "\nformats of IN:\n" + formats +
         "\nAny CSV with a header reads by a map from fields to its columns, with the unit of "
         "time:\n"
         "--format csv:arrival=ts,unit=s|ms|us|ns|timestamp,input_tokens=in,output_tokens=out "
         "and,\n"
         "where there are such columns, id, tenant, max_tokens, predicted_output_tokens, "
         "priority,\n"
         "session_id, model, status.\n"
         "\nforms of OUT:\n" +
         forms +
         "\nexample:\n"
         "  tokenyard trace convert AzureLLMInferenceTrace_conv.csv conv.jsonl.gz\n"
         "  tokenyard trace convert AzureLLMInferenceTrace_conv.csv conv.csv --to vidur\n"
         "  tokenyard trace convert log.csv log.jsonl --format \\\n"
         "    csv:arrival=ts,unit=ms,input_tokens=prompt,output_tokens=completion,tenant=user\n";
}

std::string trace_help() {
  return "usage: tokenyard trace VERB ...\n\n"
         "  generate   draw a workload and write it as a trace\n"
         "  convert    rewrite a trace of any known format in the canonical or another one\n"
         "  stats      what a workload is like, as a table, JSON and pictures\n"
         "  check      every fault of a trace file, and what is kept and dropped\n"
         "  slice      keep a part of a trace, by time or by count\n"
         "  superpose  lay several traces over one another\n"
         "  resample   put a trace together anew from windows of itself\n\n"
         "tokenyard trace VERB --help says more.\n";
}

int run_convert(std::span<const std::string> args) {
  const auto given =
      line_or_help("trace convert", args, convert_options(), kConvertUsage, convert_forms());
  if (!given) return 0;
  const CommandLine& line = *given;
  if (line.positionals().size() != 2) {
    line.refuse(
        fmt::format("two files are needed, IN and OUT; {} given", line.positionals().size()));
  }
  const std::string& out = line.positionals()[1];
  const std::string form = line.value("to").value_or("");
  check_trace_form(out, form);
  ReadOptions options = read_options_of(line);
  options.details = true;
  if (line.has("limit")) options.limit = line.integer("limit", 1, kMostRequests, 1);
  Trace trace = read_trace(line.positionals()[0], options);
  scale_as_asked(trace, line);
  write_and_describe(trace, out, line, form);
  return 0;
}

}  // namespace

int run_trace_command(const std::vector<std::string>& args) {
  struct Verb {
    const char* name;
    int (*run)(std::span<const std::string> args);
  };
  static constexpr Verb kVerbs[] = {
      {"generate", run_trace_generate}, {"convert", run_convert},
      {"stats", run_trace_stats},       {"check", run_trace_check},
      {"slice", run_trace_slice},       {"superpose", run_trace_superpose},
      {"resample", run_trace_resample}};
  std::vector<std::string> verbs;
  for (const Verb& verb : kVerbs) verbs.emplace_back(verb.name);
  if (args.empty()) {
    throw InputError(fmt::format("trace: a trace command is needed: {} (--help says more)",
                                 fmt::join(verbs, ", ")));
  }
  if (args[0] == "--help" || args[0] == "-h" || args[0] == "help") {
    fmt::print("{}", trace_help());
    return 0;
  }
  for (const Verb& verb : kVerbs) {
    if (args[0] == verb.name) return verb.run(std::span(args).subspan(1));
  }
  throw InputError(fmt::format("unknown trace command '{}'{}; there are: {}", printable(args[0]),
                               suggestion(args[0], verbs), fmt::join(verbs, ", ")));
}

}  // namespace tokenyard
