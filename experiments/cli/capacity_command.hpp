#pragma once

#include <string>
#include <vector>

namespace tokenyard {

/// `tokenyard capacity TRACE POLICY...`. Returns the exit status; throws `InputError`.
int run_capacity_command(const std::vector<std::string>& arguments);

}  // namespace tokenyard
