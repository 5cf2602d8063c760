#pragma once
// Resolved settings as files keep them: an object of option names and values.

#include <string>

#include "experiments/settings.hpp"
#include "sim/kernel/strict_json.hpp"

namespace tokenyard {

/// All values in force as one JSON object, in the order of the table of settings; what is empty is
/// left out. Flags are flags and numbers are numbers.
std::string settings_json(const Settings& settings);

/// Reads them back: the defaults with the object's values over them. Throws `InputError` at the
/// place of a key or value that is not a setting's.
Settings settings_from_json(const JsonObject& json);

}  // namespace tokenyard
