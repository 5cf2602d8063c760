#pragma once
// What the command lines of `tokenyard trace` have in common.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/cli/command_line.hpp"
#include "traces/reader.hpp"
#include "traces/trace.hpp"

namespace tokenyard {

/// Rows of options, one list after another.
std::vector<OptionRow> joined(std::initializer_list<std::vector<OptionRow>> lists);

/// How a trace is read: --format, --zero and --trust-ids. `trace` is its name in the usage.
std::vector<OptionRow> reading_options(const std::string& trace);
/// These, of a command line.
ReadOptions read_options_of(const CommandLine& line);

/// --limit N.
OptionRow limit_option();
/// --scale-rate and --scale-lengths.
std::vector<OptionRow> scaling_options();
/// --json and --quiet about what was written, and --help.
std::vector<OptionRow> describing_options();
OptionRow help_option();

/// A command line, or nothing where --help was given: then the text `before` the list of the
/// options, the list and the text `after` it were printed.
std::optional<CommandLine> line_or_help(const std::string& command,
                                        std::span<const std::string> args,
                                        const std::vector<OptionRow>& options,
                                        std::string_view before, std::string_view after = "");

/// The only argument; `InputError` where there are others or none.
const std::string& only_trace(const CommandLine& line);

/// The value of --scale-rate or --scale-lengths, or 1. Throws `InputError`.
double scale_factor(const CommandLine& line, std::string_view option);
/// Scales the trace as these options say.
void scale_as_asked(Trace& trace, const CommandLine& line);

/// An option's value; `InputError` where it is not given.
std::string required_option(const CommandLine& line, std::string_view option);
/// A number in [least, most] that is given.
double number_option(const CommandLine& line, std::string_view option, double least, double most);

}  // namespace tokenyard
