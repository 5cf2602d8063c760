#pragma once

#include <string>
#include <vector>

namespace tokenyard {

/// `tokenyard reproduce STUDY`: the sweeps of a study and its page. Returns the exit status; throws
/// `InputError` for wrong usage and bad input.
int run_reproduce_command(const std::vector<std::string>& arguments);

}  // namespace tokenyard
