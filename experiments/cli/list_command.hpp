#pragma once

#include <string>
#include <vector>

namespace tokenyard {

/// `tokenyard list policies|systems|models|devices|predictors|arrivals|lengths|metrics`. Returns
/// the exit status; bad input is an `InputError`.
int run_list_command(const std::vector<std::string>& arguments);

}  // namespace tokenyard
