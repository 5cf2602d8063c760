#include "experiments/data_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

std::filesystem::path data_directory() {
  const char* named = std::getenv("TOKENYARD_DATA");
  return named != nullptr && *named != '\0' ? named : TOKENYARD_SOURCE_DIR;
}

std::vector<std::string> data_names(const std::filesystem::path& folder) {
  const auto place = data_directory() / folder;
  std::error_code error;
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(place, error)) {
    if (entry.path().extension() == ".json") names.push_back(entry.path().stem().string());
  }
  if (error) throw InputError(fmt::format("{}: cannot list this folder", place.string()));
  std::sort(names.begin(), names.end());
  return names;
}

std::filesystem::path data_file(const std::filesystem::path& folder, const std::string& kind,
                                const std::string& name) {
  const auto names = data_names(folder);
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    throw InputError(fmt::format("unknown {} '{}'{}; see 'tokenyard list {}s'", kind,
                                 printable(name), suggestion(name, names), kind));
  }
  return data_directory() / folder / (name + ".json");
}

}  // namespace tokenyard
