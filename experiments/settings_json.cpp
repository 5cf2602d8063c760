#include "experiments/settings_json.hpp"

#include <nlohmann/json.hpp>

#include "experiments/given_setting.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

using Json = nlohmann::ordered_json;

std::string settings_json(const Settings& settings) {
  Json json = Json::object();
  for (const SettingEntry& entry : setting_entries()) {
    const std::string text = entry.show(settings);
    if (text.empty()) continue;
    Json& value = json[entry.name];
    if (entry.is_flag) {
      value = text == "true";
    } else if (const auto integer = parse_integer(text)) {
      value = *integer;
    } else if (const auto number = parse_number(text)) {
      value = *number;
    } else {
      value = text;
    }
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Settings settings_from_json(const JsonObject& json) {
  Settings settings;
  for (const std::string& key : json.keys()) {
    const GivenSetting given = read_setting(json, key);
    apply_settings(settings, {&given, 1});
  }
  return settings;
}

}  // namespace tokenyard
