#pragma once

#include <string>
#include <vector>

namespace tokenyard {

/// `tokenyard sweep PLAN.json`: runs a grid of runs, prints one row per cell and writes a result
/// folder. Returns the exit status; bad input is an `InputError`.
int run_sweep_command(const std::vector<std::string>& arguments);

}  // namespace tokenyard
