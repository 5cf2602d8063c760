#pragma once
// What the commands of `tokenyard trace` that write a trace have in common.

#include <string>
#include <string_view>

#include "experiments/cli/command_line.hpp"
#include "traces/trace.hpp"

namespace tokenyard {

/// Writes the trace, and says on standard output what it is: a line, JSON (--json) or nothing
/// (--quiet); on standard error what the form (see `write_trace`) has no place for.
void write_and_describe(const Trace& trace, const std::string& path, const CommandLine& line,
                        const std::string& form = "");

OptionRow scale_rate_option();
OptionRow scale_lengths_option();
/// The value of one of these options, or 1. Throws `InputError`.
double scale_factor(const CommandLine& line, std::string_view option);
/// Scales the trace as these options say.
void scale_as_asked(Trace& trace, const CommandLine& line);

/// An option's value; `InputError` where it is not given.
std::string required_option(const CommandLine& line, std::string_view option);
/// A number in [least, most] that is given.
double number_option(const CommandLine& line, std::string_view option, double least, double most);

}  // namespace tokenyard
