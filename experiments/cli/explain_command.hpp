#pragma once

#include <string>
#include <vector>

namespace tokenyard {

/// `tokenyard explain …`; returns the exit status. Throws `InputError`.
int run_explain_command(const std::vector<std::string>& arguments);

}  // namespace tokenyard
