#include "experiments/cli/trace_arguments.hpp"

#include <fmt/format.h>

#include "experiments/trace_options.hpp"
#include "sim/kernel/text.hpp"
#include "traces/transform.hpp"
#include "traces/workload_plan.hpp"

namespace tokenyard {

std::vector<OptionRow> joined(std::initializer_list<std::vector<OptionRow>> lists) {
  std::vector<OptionRow> all;
  for (const auto& list : lists) all.insert(all.end(), list.begin(), list.end());
  return all;
}

std::vector<OptionRow> reading_options(const std::string& trace) {
  return {{"format", "FORMAT",
           fmt::format("the format of {}, where its first line does not tell", trace)},
          {"zero", "drop|clamp|error", "what rows with zero tokens get (drop)"},
          {"trust-ids", "", "ids are known to be unique: do not keep all to compare them"}};
}

ReadOptions read_options_of(const CommandLine& line) {
  ReadOptions options = trace_options(line.value("format").value_or(""));
  if (const auto zero = line.value("zero")) options.zero = parse_zero_tokens(*zero);
  options.trust_ids = line.flag("trust-ids");
  return options;
}

OptionRow limit_option() {
  return {"limit", "N", "the first N requests"};
}

std::vector<OptionRow> scaling_options() {
  return {
      {"scale-rate", "X", "X times the request rate: all times are divided by X (1)"},
      {"scale-lengths", "X", "X times the tokens of prompts and outputs, rounded, 1 at least (1)"}};
}

std::vector<OptionRow> describing_options() {
  return {
      {"json", "", "describe the result as JSON"}, {"quiet", "", "print nothing"}, help_option()};
}

OptionRow help_option() {
  return {"help", "", "this text"};
}

std::optional<CommandLine> line_or_help(const std::string& command,
                                        std::span<const std::string> args,
                                        const std::vector<OptionRow>& options,
                                        std::string_view before, std::string_view after) {
  CommandLine line(command, args, options);
  if (!line.flag("help")) return line;
  fmt::print("{}{}{}", before, options_help(options), after);
  return std::nullopt;
}

const std::string& only_trace(const CommandLine& line) {
  if (line.positionals().size() != 1) line.refuse("expected one TRACE");
  return line.positionals().front();
}

double scale_factor(const CommandLine& line, std::string_view option) {
  return line.has(option) ? number_option(line, option, kLeastScale, kMostScale) : 1;
}

void scale_as_asked(Trace& trace, const CommandLine& line) {
  if (const double factor = scale_factor(line, "scale-rate"); factor != 1) {
    scale_rate(trace, factor);
  }
  if (const double factor = scale_factor(line, "scale-lengths"); factor != 1) {
    scale_lengths(trace, factor);
  }
}

std::string required_option(const CommandLine& line, std::string_view option) {
  const auto value = line.value(option);
  if (!value) line.refuse(fmt::format("--{} is required", option));
  return *value;
}

double number_option(const CommandLine& line, std::string_view option, double least, double most) {
  const std::string text = required_option(line, option);
  const auto value = parse_number(text);
  if (!value || *value < least || *value > most) {
    line.refuse(fmt::format("--{}: expected a number from {} to {}, found '{}'", option,
                            format_number(least), format_number(most), printable(text)));
  }
  return *value;
}

}  // namespace tokenyard
