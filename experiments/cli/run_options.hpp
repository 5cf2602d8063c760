#pragma once
// The options that say what is run, for every command that runs traces under policies.

#include <vector>

#include "experiments/cli/command_line.hpp"
#include "experiments/run.hpp"

namespace tokenyard {

/// All options of `run`.
std::vector<OptionRow> run_option_rows();

/// The plan that they describe: TRACE, then the policies. A command without some of the options
/// gets their defaults. Throws `InputError`.
RunPlan run_plan_of(const CommandLine& line);

}  // namespace tokenyard
