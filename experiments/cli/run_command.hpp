#pragma once

#include <string>
#include <vector>

namespace tokenyard {

/// `tokenyard run TRACE POLICY…`: replays a trace under each policy, prints one table and writes a
/// result folder. Returns the exit status; bad input is an `InputError`.
int run_run_command(const std::vector<std::string>& arguments);

}  // namespace tokenyard
