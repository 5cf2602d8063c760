#pragma once

#include <string>
#include <vector>

namespace tokenyard {

/// `tokenyard validate`: exit status 0 where every goal is met, 1 where not; throws `InputError`.
int run_validate_command(const std::vector<std::string>& arguments);

}  // namespace tokenyard
