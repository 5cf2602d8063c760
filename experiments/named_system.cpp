#include "experiments/named_system.hpp"

#include "experiments/compose.hpp"
#include "experiments/data_files.hpp"
#include "experiments/given_setting.hpp"
#include "sim/kernel/strict_json.hpp"

namespace tokenyard {

namespace {

constexpr const char* kFolder = "experiments/configs/systems";

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
    const std::string option = option_name(key);
    if (option == "request-rate" || option == "limit" || option == "resample" ||
        option == "warmup") {
      settings.refuse(key, "belongs to the workload, not to a system");
    }
    system.settings.push_back(read_setting(settings, key));
  }
  json.refuse_unread();
  return system;
}

}  // namespace tokenyard
