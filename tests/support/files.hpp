#pragma once
// What tests of readers share: a folder to write in, whole files, refusals, and the collection of
// published files beside the project.

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include "sim/kernel/input_error.hpp"

namespace tokenyard::test {

/// What an action is refused with, or "(accepted)".
inline std::string refusal(const std::function<void()>& action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.what();
  }
  return "(accepted)";
}

inline std::string file_content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// A folder that is gone with the object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    static std::atomic<int> made = 0;
    path_ = std::filesystem::path(::testing::TempDir()) /
            ("tokenyard." + std::to_string(getpid()) + "." + std::to_string(made++));
    std::filesystem::create_directories(path_);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }

  std::string path() const { return path_.string(); }
  std::string path(std::string_view name) const { return (path_ / name).string(); }
  /// Gives the file's path. A new file each time: what is written over an old one, some file
  /// systems bring to the disk at once.
  std::string write(std::string_view name, std::string_view content) const {
    std::filesystem::remove(path_ / name);
    std::ofstream(path_ / name, std::ios::binary) << content;
    return path(name);
  }

 private:
  std::filesystem::path path_;
};

/// A file or folder of the collection ("models/stories260K"), where this machine has it
/// (TOKENYARD_SHARED_DIR, or ../shared).
inline std::optional<std::string> shared_path(std::string_view name) {
  const char* folder = std::getenv("TOKENYARD_SHARED_DIR");
  const std::filesystem::path root =
      folder != nullptr ? std::filesystem::path(folder)
                        : std::filesystem::path(TOKENYARD_SOURCE_DIR) / ".." / "shared";
  const auto path = root / name;
  if (!std::filesystem::exists(path)) return std::nullopt;
  return path.string();
}

}  // namespace tokenyard::test
