#include "engine/text/utf8.hpp"

#include <cstdint>
#include <string>

namespace tokenyard {

namespace {

/// What a first byte promises: how many bytes follow, and the range of the next one (the ranges
/// exclude overlong forms, surrogates and what lies beyond U+10FFFF).
struct Lead {
  std::size_t following;
  std::uint8_t second_least;
  std::uint8_t second_most;
};

Lead lead_of(std::uint8_t byte) {
  if (byte >= 0xC2 && byte <= 0xDF) return {1, 0x80, 0xBF};
  if (byte == 0xE0) return {2, 0xA0, 0xBF};
  if (byte == 0xED) return {2, 0x80, 0x9F};
  if (byte >= 0xE1 && byte <= 0xEF) return {2, 0x80, 0xBF};
  if (byte == 0xF0) return {3, 0x90, 0xBF};
  if (byte == 0xF4) return {3, 0x80, 0x8F};
  if (byte >= 0xF1 && byte <= 0xF3) return {3, 0x80, 0xBF};
  return {0, 0, 0};
}

}  // namespace

Utf8Step utf8_step(std::string_view text) {
  if (text.empty()) return {};
  const auto first = static_cast<std::uint8_t>(text[0]);
  if (first < 0x80) return {1, true, false, first};
  const Lead lead = lead_of(first);
  if (lead.following == 0) return {1, false, false, 0};
  char32_t character = first & (0x3FU >> lead.following);
  for (std::size_t i = 1; i <= lead.following; ++i) {
    if (i == text.size()) return {i, false, true, 0};
    const auto byte = static_cast<std::uint8_t>(text[i]);
    const std::uint8_t least = i == 1 ? lead.second_least : 0x80;
    const std::uint8_t most = i == 1 ? lead.second_most : 0xBF;
    if (byte < least || byte > most) return {i, false, false, 0};
    character = character << 6 | (byte & 0x3FU);
  }
  return {lead.following + 1, true, false, character};
}

std::size_t utf8_valid_bytes(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const Utf8Step step = utf8_step(text.substr(at));
    if (!step.valid) break;
    at += step.bytes;
  }
  return at;
}

std::size_t utf8_invalid_bytes(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const Utf8Step step = utf8_step(text.substr(at));
    if (step.valid) break;
    at += step.bytes;
  }
  return at;
}

void append_utf8(char32_t character, std::string& out) {
  const auto continuation = [&](int shift) {
    out += static_cast<char>(0x80U | (character >> shift & 0x3FU));
  };
  if (character < 0x80) {
    out += static_cast<char>(character);
  } else if (character < 0x800) {
    out += static_cast<char>(0xC0U | character >> 6);
    continuation(0);
  } else if (character < 0x10000) {
    out += static_cast<char>(0xE0U | character >> 12);
    continuation(6);
    continuation(0);
  } else {
    out += static_cast<char>(0xF0U | character >> 18);
    continuation(12);
    continuation(6);
    continuation(0);
  }
}

bool is_white_space(char32_t character) {
  return (character >= 0x9 && character <= 0xD) || character == 0x20 || character == 0x85 ||
         character == 0xA0 || character == 0x1680 || (character >= 0x2000 && character <= 0x200A) ||
         character == 0x2028 || character == 0x2029 || character == 0x202F || character == 0x205F ||
         character == 0x3000;
}

}  // namespace tokenyard
