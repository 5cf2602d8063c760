#include "engine/text/utf8.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/text/byte_alphabet.hpp"

namespace tokenyard {
namespace {

using ::testing::ElementsAre;

/// The lengths of all steps; those that are no character are negative.
std::vector<int> steps(std::string_view text) {
  std::vector<int> lengths;
  while (!text.empty()) {
    const Utf8Step step = utf8_step(text);
    lengths.push_back(step.valid ? static_cast<int>(step.bytes) : -static_cast<int>(step.bytes));
    text.remove_prefix(step.bytes);
  }
  return lengths;
}

// Would catch: a character refused, or its code point computed wrongly.
TEST(Utf8, EveryCharacterIsReadAsItWasWritten) {
  for (char32_t character = 0; character < 0x110000; ++character) {
    if (character >= 0xD800 && character < 0xE000) continue;
    std::string text;
    append_utf8(character, text);
    const Utf8Step step = utf8_step(text);
    ASSERT_TRUE(step.valid) << std::hex << static_cast<unsigned>(character);
    ASSERT_EQ(step.bytes, text.size());
    ASSERT_EQ(step.character, character);
    // Each beginning of it may still become a character.
    for (std::size_t bytes = 1; bytes < text.size(); ++bytes) {
      const Utf8Step part = utf8_step(std::string_view(text).substr(0, bytes));
      ASSERT_TRUE(part.unfinished && !part.valid && part.bytes == bytes);
    }
  }
}

// Would catch: overlong forms, surrogates and numbers beyond U+10FFFF taken for characters, and
// replacement characters counted otherwise than in the Unicode Standard's tables 3-8 to 3-11.
TEST(Utf8, IllFormedBytesAreCountedAsTheStandardCounts) {
  EXPECT_THAT(steps("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41"),
              ElementsAre(-1, -1, -1, -1, -1, -1, -1, -1, 1));
  EXPECT_THAT(steps("\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41"),
              ElementsAre(-1, -1, -1, -1, -1, -1, -1, -1, 1));
  EXPECT_THAT(steps("\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42"),
              ElementsAre(-1, -1, -1, -1, -1, 1, -1, -1, 1));
  EXPECT_THAT(steps("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"), ElementsAre(-2, -1, -3, -2, 1));
}

// Would catch: a stretch that reaches one byte too far into the other kind.
TEST(Utf8, StretchesEndWhereTheKindChanges) {
  const std::string text =
      "a\xC3\xA9\xE2\x82\xFF"
      "b";
  EXPECT_EQ(utf8_valid_bytes(text), 3U);
  EXPECT_EQ(utf8_invalid_bytes(text), 0U);
  EXPECT_EQ(utf8_valid_bytes(text.substr(3)), 0U);
  EXPECT_EQ(utf8_invalid_bytes(text.substr(3)), 3U);
  EXPECT_EQ(utf8_valid_bytes(""), 0U);
  EXPECT_EQ(utf8_invalid_bytes("\x80"), 1U);
}

// Would catch: two bytes with one character, or a character outside the alphabet taken for a byte.
TEST(ByteAlphabet, IsOneToOne) {
  for (int byte = 0; byte < 256; ++byte) {
    EXPECT_EQ(bytes_of_characters(byte_characters()[byte]),
              std::string(1, static_cast<char>(byte)));
  }
  EXPECT_EQ(byte_characters()[' '], "Ġ");
  EXPECT_EQ(byte_characters()['\n'], "Ċ");
  EXPECT_EQ(byte_characters()[0xAD], "Ń");
  EXPECT_EQ(byte_characters()['~'], "~");
  EXPECT_EQ(bytes_of_characters("Ġaé"), " a\xE9");
  for (const char* other : {" ", "\n", "▁", "Ń\u0144", "\u00AD", "\x80"}) {
    EXPECT_EQ(bytes_of_characters(other), std::nullopt) << other;
  }
}

}  // namespace
}  // namespace tokenyard
