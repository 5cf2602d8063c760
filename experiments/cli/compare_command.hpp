#pragma once

#include <string>
#include <vector>

namespace tokenyard {

/// `tokenyard compare`: two result folders side by side, with gates. Returns the exit status: 0
/// pass, 1 fail, 4 inconclusive; throws `InputError`.
int run_compare_command(const std::vector<std::string>& arguments);

}  // namespace tokenyard
