#pragma once

#include <string>
#include <vector>

namespace tokenyard {

/// `tokenyard trace VERB …`: draws and converts trace files. `args` is what follows `trace`. Prints
/// to stdout and returns the exit status; wrong usage and bad input are `InputError`s, thrown
/// before anything is written.
int run_trace_command(const std::vector<std::string>& args);

}  // namespace tokenyard
