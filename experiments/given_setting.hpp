#pragma once
// Settings that stand in a JSON file: a named system's, or those of a plan.

#include <string>

#include "experiments/settings.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/kernel/strict_json.hpp"

namespace tokenyard {

/// Runs `check`; what it finds is reported at `key`, where the fault stands.
template <typename Check>
void at_key(const JsonObject& json, const std::string& key, Check check) {
  try {
    check();
  } catch (const InputError& error) {
    json.refuse(key, error.what());
  }
}

/// The option's name that a key stands for: '_' is as good as '-'.
std::string option_name(std::string key);

/// One setting of `json`, its name and value checked. Throws `InputError` at its place.
GivenSetting read_setting(const JsonObject& json, const std::string& key);

}  // namespace tokenyard
