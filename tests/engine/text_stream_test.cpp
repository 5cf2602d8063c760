#include "engine/text/text_stream.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/tokenizer_files.hpp"

namespace tokenyard::test {
namespace {

/// A tokenizer whose tokens 0 to 255 are bytes; 256 is special, 257 has no bytes.
class Bytes final : public Tokenizer {
 public:
  explicit Bytes(bool drops_first_space = false) : Tokenizer(table(drops_first_space)) {}
  std::vector<Token> encode(std::string_view text, const EncodeOptions&) const override {
    std::vector<Token> tokens;
    for (const char byte : text) tokens.push_back(static_cast<unsigned char>(byte));
    return tokens;
  }

 private:
  static TokenTable table(bool drops_first_space) {
    TokenTable table;
    for (int byte = 0; byte < 256; ++byte) table.pieces.emplace_back(1, static_cast<char>(byte));
    table.pieces.insert(table.pieces.end(), {"</s>", ""});
    table.special.assign(table.pieces.size(), false);
    table.special[256] = true;
    table.drops_first_space = drops_first_space;
    return table;
  }
};

/// The whole bytes made valid at once, as the definition has it.
std::string made_valid(std::string_view bytes) {
  std::string text;
  while (!bytes.empty()) {
    const Utf8Step step = utf8_step(bytes);
    text += step.valid ? bytes.substr(0, step.bytes) : "\uFFFD";
    bytes.remove_prefix(step.bytes);
  }
  return text;
}

// Would catch: a character sent in halves, or held back longer than needed.
TEST(TextStream, CharactersComeOutWhole) {
  const Bytes tokenizer;
  TextStream stream(tokenizer);
  EXPECT_EQ(stream.push('a'), "a");
  EXPECT_EQ(stream.push(0xF0), "");
  EXPECT_EQ(stream.push(0x9F), "");
  EXPECT_EQ(stream.push(0x99), "");
  EXPECT_EQ(stream.push(0x82), "🙂");
  EXPECT_EQ(stream.push(0xC3), "");
  EXPECT_EQ(stream.push('b'), "\uFFFDb") << "what cannot become a character waits no longer";
  EXPECT_EQ(stream.push(0xFF), "\uFFFD");
  EXPECT_EQ(stream.push(0xE2), "");
  EXPECT_EQ(stream.push(0x82), "");
  EXPECT_EQ(stream.finish(), "\uFFFD") << "one for an unfinished character";
}

// Would catch: bytes lost, doubled or replaced differently where tokens cut them, and output that
// is not valid UTF-8 at some step.
TEST(TextStream, PartsAreTheWholeMadeValid) {
  const Bytes tokenizer;
  Rng rng = named_stream(3, "streams");
  for (int i = 0; i < 3000; ++i) {
    const std::string bytes = i % 2 == 0 ? random_bytes(rng, rng() % 20)
                                         : random_unicode(rng, 3 + rng() % 20).substr(rng() % 3);
    TextStream stream(tokenizer);
    std::string text;
    for (const Token token : tokenizer.encode(bytes, {})) {
      const std::string part = stream.push(token);
      ASSERT_EQ(utf8_valid_bytes(part), part.size());
      text += part;
    }
    ASSERT_EQ(text + stream.finish(), made_valid(bytes));
  }
}

// Would catch: markers in the text, and a character that one of them tears apart.
TEST(TextStream, SpecialAndUnknownTokensGiveNothing) {
  const Bytes tokenizer;
  TextStream stream(tokenizer);
  EXPECT_EQ(stream.push(0xC3), "");
  for (const Token token : {256, 257, -1, 1'000'000}) EXPECT_EQ(stream.push(token), "");
  EXPECT_EQ(stream.push(0xA9), "é");
  EXPECT_EQ(stream.finish(), "");
}

// Would catch: the space between prompt and answer lost, the one that stands for a text's beginning
// kept, or a second one dropped with it.
TEST(TextStream, OnlyATextsFirstSpaceIsDropped) {
  const Bytes tokenizer(true);
  TextStream beginning(tokenizer, true);
  EXPECT_EQ(beginning.push(256), "");
  EXPECT_EQ(beginning.push(' '), "");
  EXPECT_EQ(beginning.push(' '), " ");
  TextStream continued(tokenizer, false);
  EXPECT_EQ(continued.push(' '), " ");
  TextStream letter_first(tokenizer, true);
  EXPECT_EQ(letter_first.push('a'), "a");
  EXPECT_EQ(letter_first.push(' '), " ");
  const Bytes keeps(false);
  EXPECT_EQ(TextStream(keeps, true).push(' '), " ");
}

}  // namespace
}  // namespace tokenyard::test
