#include "experiments/named_system.hpp"

#include <algorithm>

#include "experiments/compose.hpp"
#include "experiments/data_files.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/kernel/strict_json.hpp"

namespace tokenyard {

namespace {

constexpr const char* kFolder = "experiments/configs/systems";

/// Runs `check`; what it finds is reported at `key`, where the fault stands.
template <typename Check>
void at_key(const JsonObject& json, const std::string& key, Check check) {
  try {
    check();
  } catch (const InputError& error) {
    json.refuse(key, error.what());
  }
}

}  // namespace

std::vector<std::string> named_systems() {
  return data_names(kFolder);
}

NamedSystem read_named_system(const std::string& name) {
  const auto file = data_file(kFolder, "system", name);
  const JsonObject json = JsonFile::read(file.string());
  NamedSystem system;
  system.name = name;
  system.summary = json.string("summary");
  system.source = json.string("source");
  system.policy = json.string("policy");
  at_key(json, "policy", [&] { compose_policy(system.policy); });
  const JsonObject settings = json.object("settings");
  for (const std::string& key : settings.keys()) {
    GivenSetting given;
    given.name = key;
    std::replace(given.name.begin(), given.name.end(), '_', '-');
    given.value = settings.scalar_text(key);
    given.place = key;
    if (given.name == "request-rate" || given.name == "limit" || given.name == "warmup") {
      settings.refuse(key, "belongs to the workload, not to a system");
    }
    at_key(settings, key, [&] {
      Settings scratch;
      apply_settings(scratch, {&given, 1});
    });
    system.settings.push_back(given);
  }
  json.refuse_unread();
  return system;
}

}  // namespace tokenyard
