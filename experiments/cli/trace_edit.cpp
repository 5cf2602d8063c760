#include "experiments/cli/trace_edit.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <limits>
#include <utility>
#include <vector>

#include "experiments/cli/trace_arguments.hpp"
#include "experiments/cli/trace_output.hpp"
#include "sim/kernel/input_error.hpp"
#include "traces/generate.hpp"
#include "traces/reader.hpp"
#include "traces/rearrange.hpp"
#include "traces/writer.hpp"

namespace tokenyard {

namespace {

/// A command's own options, and those that all of these commands have.
std::vector<OptionRow> with_common(const std::vector<OptionRow>& own) {
  return joined({own, scaling_options(), reading_options("what is read"), describing_options()});
}

std::vector<OptionRow> slice_options() {
  return with_common({{"from", "S", "leave out what arrives before S seconds (0)"},
                      {"to", "S", "leave out what arrives at S seconds or later (all)"},
                      {"skip", "N", "then leave out the first N requests (0)"},
                      {"first", "N", "then keep the first N requests (all)"}});
}

constexpr const char* kSliceUsage =
    "usage: tokenyard trace slice IN OUT [--from S] [--to S] [--skip N] [--first N]\n\n"
    "Keeps a part of a trace, by time and then by count. Times count from --from, or,\n"
    "where requests were skipped, from the first that is kept.\n\noptions:\n";

constexpr const char* kSliceExamples =
    "\nexamples:\n"
    "  tokenyard trace slice day.jsonl.gz noon.jsonl.gz --from 43200 --to 46800\n"
    "  tokenyard trace slice azure.csv second-thousand.jsonl --skip 1000 --first 1000\n";

constexpr const char* kSuperposeUsage =
    "usage: tokenyard trace superpose OUT IN...\n\n"
    "Lays traces over one another, from one common origin. Ids become K/ID, with K the\n"
    "number of the file, from 1; tenants of the same name are the same; prompts of\n"
    "different files share no content.\n\noptions:\n";

constexpr const char* kSuperposeExample =
    "\nexample:\n"
    "  tokenyard trace superpose both.jsonl chat.jsonl batch.jsonl\n";

std::vector<OptionRow> resample_options() {
  return with_common({{"blocks", "S", "the length of a window, in seconds"},
                      {"seed", "N", "same seed, same bytes (1)"}});
}

constexpr const char* kResampleUsage =
    "usage: tokenyard trace resample IN OUT --blocks S [--seed N]\n\n"
    "One moving-block resample: windows of S seconds, each from anywhere in the trace,\n"
    "one after another until they cover as long a time. Ids become K/ID, with K the\n"
    "number of the window. 'tokenyard run --resample blocks:S --repeat N' runs on one\n"
    "for each seed.\n\noptions:\n";

constexpr const char* kResampleExample =
    "\nexample:\n"
    "  tokenyard trace resample azure.csv again.jsonl.gz --blocks 60 --seed 7\n";

Trace read_input(const CommandLine& line, const std::string& path) {
  ReadOptions options = read_options_of(line);
  options.details = true;
  return read_trace(path, options);
}

int finish(Trace trace, const std::string& out, const CommandLine& line) {
  scale_as_asked(trace, line);
  write_and_describe(trace, out, line);
  return 0;
}

/// IN and OUT.
std::pair<std::string, std::string> two_files(const CommandLine& line) {
  const auto& files = line.positionals();
  if (files.size() != 2) {
    line.refuse(fmt::format("two files are needed, IN and OUT; {} given", files.size()));
  }
  check_trace_form(files[1]);
  return {files[0], files[1]};
}

}  // namespace

int run_trace_slice(std::span<const std::string> args) {
  const auto given =
      line_or_help("trace slice", args, slice_options(), kSliceUsage, kSliceExamples);
  if (!given) return 0;
  const CommandLine& line = *given;
  const auto [in, out] = two_files(line);
  const double longest = to_seconds(kLongest);
  Slice part;
  if (line.has("from")) part.from_s = number_option(line, "from", 0, longest);
  if (line.has("to")) part.to_s = number_option(line, "to", part.from_s.value_or(0), longest);
  part.skip = line.integer("skip", 0, kMostRequests, 0);
  if (line.has("first")) part.first = line.integer("first", 1, kMostRequests, 1);
  Trace trace = read_input(line, in);
  slice(trace, part);
  return finish(std::move(trace), out, line);
}

int run_trace_superpose(std::span<const std::string> args) {
  const auto given =
      line_or_help("trace superpose", args, with_common({}), kSuperposeUsage, kSuperposeExample);
  if (!given) return 0;
  const CommandLine& line = *given;
  const auto& files = line.positionals();
  if (files.size() < 2) line.refuse("OUT and one IN or more are needed");
  check_trace_form(files.front());
  std::vector<Trace> traces;
  for (const std::string& in : std::span(files).subspan(1)) {
    traces.push_back(read_input(line, in));
  }
  return finish(superpose(std::move(traces)), files.front(), line);
}

int run_trace_resample(std::span<const std::string> args) {
  const auto given =
      line_or_help("trace resample", args, resample_options(), kResampleUsage, kResampleExample);
  if (!given) return 0;
  const CommandLine& line = *given;
  const auto [in, out] = two_files(line);
  const double block_s = number_option(line, "blocks", 1e-9, to_seconds(kLongest));
  const auto seed = line.integer("seed", 0, std::numeric_limits<std::int64_t>::max(), 1);
  return finish(resample(read_input(line, in), block_s, static_cast<std::uint64_t>(seed)), out,
                line);
}

}  // namespace tokenyard
