#pragma once

#include <string>
#include <vector>

namespace tokenyard {

/// `tokenyard report DIR`: plots and one HTML page from a result folder. Returns the exit status;
/// throws `InputError` for wrong usage and bad input.
int run_report_command(const std::vector<std::string>& arguments);

}  // namespace tokenyard
