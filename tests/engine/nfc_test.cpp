// Normalization Form C: the annex's examples, bytes that are no text, and hostile ones.

#include "engine/text/nfc.hpp"

#include <gtest/gtest.h>
#include <utf8proc.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "engine/text/tokenizer.hpp"
#include "sim/kernel/rng.hpp"
#include "tests/support/tokenizer_files.hpp"

namespace tokenyard::test {
namespace {

std::string utf8(const std::u32string& characters) {
  std::string text;
  for (const char32_t character : characters) append_utf8(character, text);
  return text;
}

/// By the library's own function from text to text.
std::string library_nfc(const std::string& text) {
  utf8proc_uint8_t* made = nullptr;
  const auto size =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                   static_cast<utf8proc_ssize_t>(text.size()), &made,
                   static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  EXPECT_GE(size, 0);
  const std::string result(reinterpret_cast<const char*>(made), static_cast<std::size_t>(size));
  std::free(made);
  return result;
}

// Would catch: marks that are composed out of order or past one that blocks them, characters that
// must stay apart (composition exclusions), and Hangul, which has no tables.
TEST(Nfc, ComposesAsTheAnnexSays) {
  const struct {
    std::u32string text, composed;
  } cases[] = {
      {U"A\u030A", U"\u00C5"},
      {U"\u212B\u2126", U"\u00C5\u03A9"},
      {U"d\u0307\u0323", U"\u1E0D\u0307"},
      {U"s\u0323\u0307", U"\u1E69"},
      {U"\u1E9B\u0323", U"\u1E9B\u0323"},
      {U"a\u0305\u0301", U"a\u0305\u0301"},
      {U"\u0301e\u0301", U"\u0301\u00E9"},
      {U"\u0958", U"\u0915\u093C"},
      {U"\U0001D15E", U"\U0001D157\U0001D165"},
      {U"\u1100\u1161\u11A8 \uAC00\u11A8", U"\uAC01 \uAC01"},
      {U"\uFB01\u00BD", U"\uFB01\u00BD"},
  };
  for (const auto& one : cases) EXPECT_EQ(nfc(utf8(one.text)), utf8(one.composed));
  EXPECT_EQ(nfc(std::string("a\0e\xCC\x81", 5)), std::string("a\0\xC3\xA9", 4));
  EXPECT_EQ(nfc(""), "");
}

// Would catch: bytes that are lost, replaced or composed across although they are no characters.
TEST(Nfc, LeavesWhatIsNoUtf8AsItIs) {
  EXPECT_EQ(nfc("e\xFF\xCC\x81"), "e\xFF\xCC\x81");
  EXPECT_EQ(nfc("e\xCC\x81\xFF"), "\xC3\xA9\xFF");
  EXPECT_EQ(nfc("\xFF"
                "e\xCC\x81"),
            "\xFF\xC3\xA9");
  for (const char* bytes :
       {"e\xCC", "\x80\x81", "\xED\xA0\x80", "\xC0\xAF", "\xF4\x90\x80\x80", "\xF0\x9F\x98"}) {
    EXPECT_EQ(nfc(bytes), bytes);
    EXPECT_EQ(nfc(std::string("e\xCC\x81") + bytes), std::string("\xC3\xA9") + bytes);
  }
}

// Would catch: an order of marks, or a composition, that differs from the library's over all
// planes; and a text that changes again, or grows more than the annex allows.
TEST(Nfc, IsTheLibrarysOnTextAndStableOnAnything) {
  Rng rng(20261121);
  for (int i = 0; i < 3000; ++i) {
    std::string text = random_unicode(rng, 1 + rng() % 40);
    for (std::uint64_t marks = rng() % 8; marks > 0; --marks) {
      append_utf8(static_cast<char32_t>(0x300 + rng() % 0x70), text);
    }
    EXPECT_EQ(nfc(text), library_nfc(text)) << text;
    const std::string bytes = random_bytes(rng, rng() % 40) + text;
    const std::string once = nfc(bytes);
    EXPECT_EQ(nfc(once), once);
    EXPECT_LE(once.size(), 3 * bytes.size());
  }
}

// Would catch: time with the square of a run of marks, with which one prompt holds up a server for
// hours.
TEST(Nfc, ALongRunOfMarksIsOrderedInTime) {
  std::string text = "e";
  std::string first;
  std::string second;
  for (int i = 0; i < 300'000; ++i) {
    text += "\xCC\x81\xCC\xA3";  // U+0301 of class 230, U+0323 of class 220
    first += "\xCC\xA3";
    second += "\xCC\x81";
  }
  EXPECT_EQ(nfc(text), utf8(U"\u1EB9") + first.substr(2) + second);
}

// Would catch: a tokenizer that does not normalise what its file says, or normalises the special
// tokens' side of it and not the text's.
TEST(Nfc, ATokenizerNormalisesTextAndAddedTokens) {
  const std::string file = R"({
"added_tokens": [{"id": 4, "content": "E\u0301!", "normalized": true},
  {"id": 5, "content": "O\u0301", "normalized": false}],
"normalizer": {"type": "NFC"},
"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false},
"decoder": {"type": "ByteLevel"},
"model": {"type": "BPE", "unk_token": "?",
"vocab": {"\u00C3": 0, "\u00A9": 1, "\u00C3\u00A9": 2, "?": 3, "O": 6}, "merges": ["\u00C3 \u00A9"]}
})";
  const TemporaryFolder folder;
  const auto tokenizer = load_tokenizer(folder.write("tokenizer.json", file));
  EXPECT_EQ(tokenizer->encode("e\xCC\x81\xC3\xA9"), (std::vector<Token>{2, 2}));
  EXPECT_EQ(tokenizer->encode("\xC3\x89!"), (std::vector<Token>{4}));
  EXPECT_EQ(tokenizer->encode("E\xCC\x81!"), (std::vector<Token>{4}));
  EXPECT_EQ(tokenizer->encode("O\xCC\x81"), (std::vector<Token>{5}));
  EXPECT_EQ(tokenizer->encode("\xC3"), (std::vector<Token>{0})) << "half a character";
  const auto plain =
      load_tokenizer(folder.write("tokenizer.json", with(file, R"({"type": "NFC"})", "null")));
  EXPECT_EQ(plain->encode("e\xCC\x81").front(), 3);
  const std::string steps = R"({"type": "Sequence", "normalizers": [{"type": "NFC"},
    {"type": "Replace", "pattern": {"String": "a"}, "content": "aaaa"}]})";
  EXPECT_NE(
      refusal([&] {
        load_tokenizer(folder.write("tokenizer.json", with(file, R"({"type": "NFC"})", steps)));
      }).find("/normalizer/normalizers/1/type: expected no normalizer, Prepend"),
      std::string::npos);
}

}  // namespace
}  // namespace tokenyard::test
