#pragma once
// UTF-8, read one character at a time from bytes that may be anything.

#include <cstddef>
#include <string>
#include <string_view>

namespace tokenyard {

/// What stands at the beginning of some bytes: a character; or, where they are not well-formed, the
/// bytes that one replacement character stands for (the longest beginning of a well-formed
/// character, at least one byte: the Unicode Standard 14, section 3.9, table 3-7 and "U+FFFD
/// Substitution of Maximal Subparts").
struct Utf8Step {
  std::size_t bytes = 0;  ///< 0 only for an empty text
  bool valid = false;
  bool unfinished = false;  ///< not valid, but more bytes could make it so
  char32_t character = 0;   ///< where valid
};

Utf8Step utf8_step(std::string_view text);

/// The length of the longest beginning that is well-formed.
std::size_t utf8_valid_bytes(std::string_view text);

/// The length of the longest beginning without a whole well-formed character.
std::size_t utf8_invalid_bytes(std::string_view text);

/// A character's UTF-8 bytes, appended to `out`. Takes no surrogates and nothing beyond U+10FFFF.
void append_utf8(char32_t character, std::string& out);

/// The property White_Space of the Unicode Character Database (unchanged since Unicode 6.3).
bool is_white_space(char32_t character);

}  // namespace tokenyard
