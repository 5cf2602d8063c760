#pragma once

#include <string>
#include <vector>

namespace tokenyard {

/// `tokenyard replay RECORD`: feeds a scheduler what a flight record tells and compares decisions.
/// Returns the exit status: 0 identical, 1 not. Throws `InputError` for wrong usage and bad input.
int run_replay_command(const std::vector<std::string>& arguments);

}  // namespace tokenyard
