#include "experiments/given_setting.hpp"

#include <algorithm>

namespace tokenyard {

std::string option_name(std::string key) {
  std::replace(key.begin(), key.end(), '_', '-');
  return key;
}

GivenSetting read_setting(const JsonObject& json, const std::string& key) {
  GivenSetting given{option_name(key), json.scalar_text(key), key};
  at_key(json, key, [&] {
    Settings scratch;
    apply_settings(scratch, {&given, 1});
  });
  return given;
}

}  // namespace tokenyard
