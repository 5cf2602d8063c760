#include "models/spec_files.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <system_error>

#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

std::vector<std::string> list_spec_names(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator(folder, missing)) {
    if (entry.path().extension() == ".json") names.push_back(entry.path().stem().string());
  }
  if (missing) throw InputError(folder.string(), 0, "", "cannot list this folder");
  std::sort(names.begin(), names.end());
  return names;
}

JsonObject read_spec_file(const std::filesystem::path& folder, std::string_view kind,
                          std::string_view name) {
  // Only listed names are opened, so that a name is never a path.
  const auto names = list_spec_names(folder);
  if (names.empty()) throw InputError(folder.string(), 0, "", fmt::format("no {} files", kind));
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    const std::string hint = suggestion(name, names);
    throw InputError(
        fmt::format("unknown {} '{}'{}", kind, printable(name),
                    hint.empty() ? fmt::format("; known are {}", fmt::join(names, ", ")) : hint));
  }
  const JsonObject file = JsonFile::read((folder / (std::string(name) + ".json")).string());
  if (file.string("name") != name) {
    file.refuse("name", fmt::format("expected \"{}\", as the file is called", name));
  }
  return file;
}

}  // namespace tokenyard
