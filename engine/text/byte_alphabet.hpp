#pragma once
// The alphabet of byte-level BPE (Radford et al., "Language Models are Unsupervised Multitask
// Learners", 2019, section 2.2, and the code published with it): vocabulary files write each byte
// as one printable character.

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace tokenyard {

/// The character that each byte is written as, in UTF-8. The printable bytes of Latin-1 (33 to 126,
/// 161 to 172, 174 to 255) stand for themselves; the others, in order, are U+0100 and on.
const std::array<std::string, 256>& byte_characters();

/// The bytes that a token's text stands for; nothing where a character is not of the alphabet.
std::optional<std::string> bytes_of_characters(std::string_view text);

}  // namespace tokenyard
