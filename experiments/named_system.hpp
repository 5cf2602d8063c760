#pragma once

#include <string>
#include <vector>

#include "experiments/settings.hpp"

namespace tokenyard {

/// A system of the field as a policy and settings: a data file under experiments/configs/systems.
struct NamedSystem {
  std::string name;
  std::string summary;
  std::string source;
  std::string policy;
  std::vector<GivenSetting> settings;
};

std::vector<std::string> named_systems();
/// Reads one strictly; an unknown name or a fault in the file is an `InputError`.
NamedSystem read_named_system(const std::string& name);

}  // namespace tokenyard
