#include "engine/text/nfc.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <vector>

#include "engine/text/utf8.hpp"
#include "sim/kernel/invariant.hpp"

namespace tokenyard {
namespace {

using Characters = std::vector<utf8proc_int32_t>;

/// Unicode keeps what it once composed as it is (its stability policy).
constexpr auto kDecompose = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_DECOMPOSE);
constexpr auto kCompose = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE);

void append_decomposed(char32_t character, Characters& out) {
  std::array<utf8proc_int32_t, 32> parts{};
  const auto count =
      utf8proc_decompose_char(static_cast<utf8proc_int32_t>(character), parts.data(),
                              static_cast<utf8proc_ssize_t>(parts.size()), kDecompose, nullptr);
  invariant(count >= 1 && count <= std::ssize(parts), "a character has a decomposition",
            "U+{:04X}: {}", static_cast<std::uint32_t>(character), count);
  out.insert(out.end(), parts.begin(), parts.begin() + count);
}

int combining_class(utf8proc_int32_t character) {
  return utf8proc_get_property(character)->combining_class;
}

/// Orders runs of marks by their class (the Canonical Ordering Algorithm: the Unicode Standard,
/// section 3.11). The library's own takes time with the square of a run's length.
void order_marks(Characters& characters) {
  const auto is_mark = [](utf8proc_int32_t c) { return combining_class(c) != 0; };
  for (auto at = characters.begin(); at != characters.end();) {
    const auto begin = std::find_if(at, characters.end(), is_mark);
    at = std::find_if_not(begin, characters.end(), is_mark);
    std::stable_sort(begin, at,
                     [](auto a, auto b) { return combining_class(a) < combining_class(b); });
  }
}

void append_composed(Characters& characters, std::string& out) {
  order_marks(characters);
  const auto count = utf8proc_normalize_utf32(
      characters.data(), static_cast<utf8proc_ssize_t>(characters.size()), kCompose);
  invariant(count >= 0 && count <= std::ssize(characters), "characters are composed in place", "{}",
            count);
  for (auto i = characters.begin(); i != characters.begin() + count; ++i) {
    append_utf8(static_cast<char32_t>(*i), out);
  }
  characters.clear();
}

}  // namespace

std::string nfc(std::string_view text) {
  const auto is_ascii = [](char byte) { return static_cast<std::uint8_t>(byte) < 0x80; };
  if (std::all_of(text.begin(), text.end(), is_ascii)) return std::string(text);
  std::string out;
  Characters characters;
  while (!text.empty()) {
    const Utf8Step step = utf8_step(text);
    if (step.valid) {
      append_decomposed(step.character, characters);
    } else {
      append_composed(characters, out);
      out += text.substr(0, step.bytes);
    }
    text.remove_prefix(step.bytes);
  }
  append_composed(characters, out);
  return out;
}

}  // namespace tokenyard
