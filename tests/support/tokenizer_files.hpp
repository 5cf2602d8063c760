#pragma once
// The tokenizers of tests/data/tokenizers, changed copies of them, and texts that try them.

#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "engine/text/utf8.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/kernel/rng.hpp"

namespace tokenyard::test {

inline const std::filesystem::path kTokenizers =
    std::filesystem::path(TOKENYARD_SOURCE_DIR) / "tests/data/tokenizers";

/// The published model `name`, where this machine has it (TOKENYARD_SHARED_DIR, or ../shared).
inline std::optional<std::filesystem::path> shared_model(const std::string& name) {
  const char* named = std::getenv("TOKENYARD_SHARED_DIR");
  const std::filesystem::path shared =
      named != nullptr ? std::filesystem::path(named)
                       : std::filesystem::path(TOKENYARD_SOURCE_DIR) / "../shared";
  std::filesystem::path path = shared / "models" / name;
  if (!std::filesystem::exists(path)) return std::nullopt;
  return path;
}

/// A folder that is gone with the object.
class ModelFolder {
 public:
  ModelFolder() {
    static int made = 0;
    path_ = std::filesystem::temp_directory_path() /
            ("tokenyard-text." + std::to_string(getpid()) + "." + std::to_string(made++));
    std::filesystem::create_directories(path_);
  }
  ~ModelFolder() { std::filesystem::remove_all(path_); }
  ModelFolder(const ModelFolder&) = delete;
  ModelFolder& operator=(const ModelFolder&) = delete;

  std::string path() const { return path_.string(); }
  /// A new file each time: to cut an old one to nothing waits for the disk.
  std::string write(const std::string& name, std::string_view text) const {
    std::filesystem::remove(path_ / name);
    std::ofstream(path_ / name, std::ios::binary) << text;
    return (path_ / name).string();
  }

 private:
  std::filesystem::path path_;
};

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// The text with the first `from` replaced; it must be there.
inline std::string with(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  if (at == std::string::npos) throw std::logic_error("not in the text: " + std::string(from));
  return text.replace(at, from.size(), to);
}

/// The message of the `InputError` that the action ends in.
inline std::string refusal(const std::function<void()>& action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.what();
  }
  return "(accepted)";
}

inline std::string random_bytes(Rng& rng, std::size_t length) {
  std::string bytes;
  for (std::size_t i = 0; i < length; ++i) bytes += static_cast<char>(rng() % 256);
  return bytes;
}

/// Characters of all planes and kinds, with many of those that splitting is about.
inline std::string random_unicode(Rng& rng, std::size_t length) {
  static constexpr char32_t kTelling[] = {
      ' ', ' ', '\n', '\r',  '\t',  '\'',   's',    'L',    'e',     '1',     '9',   '!',
      '<', '|', 0xA0, 0x301, 0x5D0, 0x4F60, 0x3042, 0x200D, 0x1F468, 0x1F3FD, 0x2028};
  std::string text;
  for (std::size_t i = 0; i < length; ++i) {
    char32_t character = kTelling[rng() % std::size(kTelling)];
    if (rng() % 3 == 0)
      character = static_cast<char32_t>(rng() % (rng() % 2 == 0 ? 0x300 : 0x110000));
    if (character >= 0xD800 && character < 0xE000) character = 0xFFFD;
    append_utf8(character, text);
  }
  return text;
}

}  // namespace tokenyard::test
