#include "engine/text/byte_alphabet.hpp"

#include <cstdint>

#include "engine/text/utf8.hpp"

namespace tokenyard {

namespace {

constexpr char32_t kShifted = 0x100;      // where the bytes without a printable form begin
constexpr std::size_t kCharacters = 324;  // one beyond the alphabet's last character

bool stands_for_itself(unsigned byte) {
  return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
}

std::array<char32_t, 256> alphabet() {
  std::array<char32_t, 256> characters{};
  char32_t next = kShifted;
  for (unsigned byte = 0; byte < 256; ++byte) {
    characters[byte] = stands_for_itself(byte) ? byte : next++;
  }
  return characters;
}

/// The byte of each character, -1 for characters that are not of the alphabet.
const std::array<std::int16_t, kCharacters>& bytes_by_character() {
  static const auto bytes = [] {
    std::array<std::int16_t, kCharacters> table{};
    table.fill(-1);
    const auto characters = alphabet();
    for (std::int16_t byte = 0; byte < 256; ++byte) table[characters[byte]] = byte;
    return table;
  }();
  return bytes;
}

}  // namespace

const std::array<std::string, 256>& byte_characters() {
  static const auto texts = [] {
    std::array<std::string, 256> table;
    const auto characters = alphabet();
    for (std::size_t byte = 0; byte < 256; ++byte) append_utf8(characters[byte], table[byte]);
    return table;
  }();
  return texts;
}

std::optional<std::string> bytes_of_characters(std::string_view text) {
  std::string bytes;
  while (!text.empty()) {
    const Utf8Step step = utf8_step(text);
    if (!step.valid || step.character >= kCharacters) return std::nullopt;
    const std::int16_t byte = bytes_by_character()[step.character];
    if (byte < 0) return std::nullopt;
    bytes += static_cast<char>(byte);
    text.remove_prefix(step.bytes);
  }
  return bytes;
}

}  // namespace tokenyard
