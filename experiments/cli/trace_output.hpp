#pragma once
// What the commands of `tokenyard trace` that write a trace say about it.

#include <string>

#include "experiments/cli/command_line.hpp"
#include "traces/trace.hpp"

namespace tokenyard {

/// Writes the trace, and says on standard output what it is: a line, JSON (--json) or nothing
/// (--quiet); on standard error what the form (see `write_trace`) has no place for.
void write_and_describe(const Trace& trace, const std::string& path, const CommandLine& line,
                        const std::string& form = "");

}  // namespace tokenyard
