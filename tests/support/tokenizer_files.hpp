#pragma once
// The tokenizers of tests/data/tokenizers, changed copies of them, and texts that try them.

#include <cstdint>
#include <filesystem>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>

#include "engine/text/utf8.hpp"
#include "sim/kernel/rng.hpp"
#include "tests/support/files.hpp"

namespace tokenyard::test {

inline const std::filesystem::path kTokenizers =
    std::filesystem::path(TOKENYARD_SOURCE_DIR) / "tests/data/tokenizers";

/// The text with the first `from` replaced; it must be there.
inline std::string with(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  if (at == std::string::npos) throw std::logic_error("not in the text: " + std::string(from));
  return text.replace(at, from.size(), to);
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
