#include "engine/text/special_names.hpp"

#include "sim/kernel/strict_json.hpp"

namespace tokenyard {

namespace {

/// A token's name: a string, or an object with the name as its `content`.
std::string name_at(const JsonObject& file, const char* key) {
  if (!file.has_value(key)) return "";
  if (file.raw(key).starts_with('{')) return file.object(key).string("content");
  return file.string(key);
}

}  // namespace

SpecialNames SpecialNames::read(const std::filesystem::path& folder) {
  SpecialNames names;
  for (const char* file_name : {"tokenizer_config.json", "special_tokens_map.json"}) {
    std::error_code ignored;
    if (!std::filesystem::exists(folder / file_name, ignored)) continue;
    const JsonObject file = JsonFile::read((folder / file_name).string());
    const auto take = [&](const char* key) {
      std::string name = name_at(file, key);
      if (!name.empty()) names.all.push_back(name);
      return name;
    };
    for (const char* key : {"pad_token", "sep_token", "cls_token", "mask_token"}) take(key);
    for (auto& [key, role] :
         {std::pair("bos_token", &names.begin), std::pair("eos_token", &names.end),
          std::pair("unk_token", &names.unknown)}) {
      const std::string name = take(key);
      if (role->empty()) *role = name;
    }
    if (file.has_value("add_bos_token")) names.adds_begin = file.flag("add_bos_token");
    if (file.has_value("add_prefix_space")) {
      names.adds_prefix_space = file.flag("add_prefix_space");
    }
  }
  return names;
}

}  // namespace tokenyard
