#pragma once
// What the tests of checkpoints share: a folder to write them in, and readers of what was loaded.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/weights/tensor_view.hpp"
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

/// A folder of the running test's own, removed at its end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    path_ = std::filesystem::path(::testing::TempDir()) /
            (std::string(test->test_suite_name()) + "." + test->name());
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }

  std::string path() const { return path_.string(); }
  std::string path(std::string_view name) const { return (path_ / name).string(); }
  /// A new file each time: what is written over an old one, some file systems bring to the disk at
  /// once.
  void write(std::string_view name, std::string_view content) const {
    std::filesystem::remove(path_ / name);
    std::ofstream(path_ / name, std::ios::binary) << content;
  }

 private:
  std::filesystem::path path_;
};

inline std::string file_content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// A folder of the collection of small models, where this machine has it (TOKENYARD_SHARED_DIR, or
/// ../shared).
inline std::optional<std::string> shared_model(std::string_view name) {
  const char* folder = std::getenv("TOKENYARD_SHARED_DIR");
  const std::filesystem::path root =
      folder != nullptr ? std::filesystem::path(folder)
                        : std::filesystem::path(TOKENYARD_SOURCE_DIR) / ".." / "shared";
  const auto path = root / "models" / name;
  if (!std::filesystem::exists(path)) return std::nullopt;
  return path.string();
}

/// A row of a matrix, or the whole of a vector.
inline std::vector<float> row(const TensorView& view, std::int64_t index = 0) {
  std::vector<float> values(static_cast<std::size_t>(view.columns));
  view.read_row(index, values);
  return values;
}

/// All rows, one after another.
inline std::vector<float> all_values(const TensorView& view) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < view.rows; ++i) {
    const auto one = row(view, i);
    values.insert(values.end(), one.begin(), one.end());
  }
  return values;
}

}  // namespace tokenyard::test
