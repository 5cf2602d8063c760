#pragma once

#include <string>
#include <vector>

namespace tokenyard {

/// `tokenyard generate`: offline inference. Returns the exit status; throws `InputError`.
int run_generate_command(const std::vector<std::string>& arguments);

}  // namespace tokenyard
