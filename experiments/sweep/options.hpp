#pragma once
// The options of `run` as they stand in a plan and on a command line.

#include <string>
#include <vector>

#include "experiments/run.hpp"
#include "sim/kernel/strict_json.hpp"

namespace tokenyard {

/// One option of a plan, name and value checked: a setting, or format, zero, seed, iterations or
/// timeline. Throws `InputError` at its place; what is an axis of the sweep or belongs to its
/// command line is refused by name.
GivenSetting read_option(const JsonObject& options, const std::string& key);

/// Puts options that were read so into a plan of a run. A flag that is off is left out, as on a
/// command line.
void apply_options(RunPlan& run, const std::vector<GivenSetting>& options);

/// The words of the command line, from "run" on, that carries the same plan out.
std::vector<std::string> run_words(const RunPlan& run);

/// Words as a POSIX shell takes them, quoted where they must be.
std::string shell_line(const std::vector<std::string>& words);

}  // namespace tokenyard
