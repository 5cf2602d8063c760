#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "engine/text/text_stream.hpp"
#include "engine/text/tokenizer.hpp"
#include "tests/support/tokenizer_files.hpp"

namespace tokenyard::test {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

using Scored = std::vector<std::pair<float, std::string>>;

template <typename Number>
std::string binary(Number number) {
  std::string bytes(sizeof number, '\0');
  std::memcpy(bytes.data(), &number, sizeof number);
  return bytes;
}

std::string file_of(const Scored& tokens, std::int32_t longest = 8) {
  std::string bytes = binary(longest);
  for (const auto& [score, text] : tokens) {
    bytes += binary(score) + binary(static_cast<std::int32_t>(text.size())) + text;
  }
  return bytes;
}

/// The markers, all bytes, and a few letters and words.
Scored small_vocabulary() {
  Scored tokens = {{0, "<unk>"}, {0, "\n<s>\n"}, {0, "\n</s>\n"}};
  for (int byte = 0; byte < 256; ++byte) tokens.emplace_back(0.0F, fmt::format("<0x{:02X}>", byte));
  for (const auto& [score, text] : Scored{{-1, "ab"},
                                          {-2, " a"},
                                          {-2, "bc"},
                                          {-3, "abc"},
                                          {-9, " "},
                                          {-9, "a"},
                                          {-9, "b"},
                                          {-9, "c"},
                                          {-9, "é"},
                                          {-4, "éé"},
                                          {-9, "<"},
                                          {-9, "s"},
                                          {-9, ">"},
                                          {-9, "<s"}}) {
    tokens.emplace_back(score, text);
  }
  return tokens;
}

/// What run.c does, step by step and with texts: a space first, characters or else bytes, then the
/// best-scoring neighbours until none are left.
std::vector<Token> encoded_by_definition(const Scored& tokens, const std::string& text) {
  std::map<std::string, Token> by_text;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    by_text.emplace(tokens[i].second, static_cast<Token>(i));
  }
  std::vector<Token> out;
  if (!text.empty()) out.push_back(by_text.at(" "));
  for (std::string_view rest = text; !rest.empty();) {
    const std::string one(rest.substr(0, utf8_step(rest).bytes));
    rest.remove_prefix(one.size());
    if (by_text.contains(one)) {
      out.push_back(by_text.at(one));
      continue;
    }
    for (const char byte : one) out.push_back(3 + static_cast<unsigned char>(byte));
  }
  for (;;) {
    float best_score = -1e10F;
    std::size_t best = out.size();
    for (std::size_t i = 0; i + 1 < out.size(); ++i) {
      const auto merged = by_text.find(tokens[out[i]].second + tokens[out[i + 1]].second);
      if (merged == by_text.end() || tokens[merged->second].first <= best_score) continue;
      best_score = tokens[merged->second].first;
      best = i;
    }
    if (best == out.size()) return out;
    out[best] = by_text.at(tokens[out[best]].second + tokens[out[best + 1]].second);
    out.erase(out.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
}

class Llama2c : public ::testing::Test {
 protected:
  std::string refusal_of(const std::string& bytes) {
    file_ = folder_.write("tokenizer.bin", bytes);
    return refusal([&] { load_tokenizer(folder_.path()); });
  }

  TemporaryFolder folder_;
  std::string file_;
};

// Would catch: another order of merging (by token, not by score), the first space missing or put
// before nothing, bytes off by their offset.
TEST_F(Llama2c, EncodesByScore) {
  ASSERT_EQ(refusal_of(file_of(small_vocabulary())), "(accepted)");
  const auto tokenizer = load_tokenizer(folder_.path());
  EXPECT_EQ(tokenizer->encode("", {.add_special = true}), std::vector<Token>{1});
  EXPECT_EQ(tokenizer->encode("abc"), (std::vector<Token>{1, 263, 262})) << "ab first, then abc";
  EXPECT_EQ(tokenizer->encode("a", {.add_special = false}), std::vector<Token>{260});
  EXPECT_EQ(tokenizer->encode("éx", {.add_special = false}),
            (std::vector<Token>{263, 267, 3 + 'x'}));
  EXPECT_EQ(tokenizer->begin_token(), 1);
  EXPECT_EQ(tokenizer->end_token(), 2);
  Rng rng = named_stream(2, "llama2c");
  for (int i = 0; i < 1000; ++i) {
    std::string text;
    for (std::size_t length = rng() % 20; length > 0; --length) {
      static const char* const kParts[] = {"a",    "b",  "c", " ", "é", "x",
                                           "\xC3", "\n", "<", "s", ">"};
      text += kParts[rng() % std::size(kParts)];
    }
    ASSERT_EQ(tokenizer->encode(text, {.add_special = false}),
              encoded_by_definition(small_vocabulary(), text));
    ASSERT_EQ(tokenizer->decode(tokenizer->encode(text)), text);
  }
}

// Would catch: memory read beyond the file, or a cut file taken. Files that end between two tokens
// are good from the point on where they hold all bytes and a space.
TEST_F(Llama2c, EveryBeginningOfAFileIsRefused) {
  const Scored tokens = small_vocabulary();
  const std::string least = file_of({tokens.begin(), tokens.begin() + 264});
  ASSERT_EQ(refusal_of(file_of(tokens)), "(accepted)");
  std::size_t accepted = 0;
  for (std::size_t bytes = std::filesystem::file_size(file_); bytes-- > 0;) {
    std::filesystem::resize_file(file_, bytes);
    const std::string outcome = refusal([&] { load_tokenizer(file_); });
    if (outcome == "(accepted)") ++accepted;
    ASSERT_TRUE(outcome != "(accepted)" || bytes >= least.size()) << bytes;
  }
  EXPECT_EQ(accepted, tokens.size() - 264);
}

// Would catch: lengths used before they are checked, and scores that cannot be put in order.
TEST_F(Llama2c, DamagedFilesAreRefused) {
  const Scored good = small_vocabulary();
  const auto changed = [&](std::size_t token, float score, const std::string& text) {
    Scored tokens = good;
    tokens[token] = {score, text};
    return refusal_of(file_of(tokens));
  };
  EXPECT_THAT(refusal_of(""), EndsWith("tokenizer.bin: ends within the longest token's length: "
                                       "expected 4 bytes more, found 0"));
  for (const std::int32_t longest : {0, -1, 1 << 20, std::numeric_limits<std::int32_t>::min()}) {
    EXPECT_THAT(refusal_of(file_of(good, longest)), HasSubstr("longest token: expected from 1 to"));
  }
  EXPECT_THAT(refusal_of(file_of(good, 3)),
              HasSubstr("token 0: expected from 1 to 3 bytes, found 5"));
  for (const std::int32_t length : {0, -1, 9, std::numeric_limits<std::int32_t>::max(),
                                    std::numeric_limits<std::int32_t>::min()}) {
    EXPECT_THAT(refusal_of(file_of(good) + binary(0.0F) + binary(length)),
                HasSubstr(fmt::format("expected from 1 to 8 bytes, found {}", length)));
  }
  EXPECT_THAT(refusal_of(file_of(good) + binary(0.0F) + binary(std::int32_t{5}) + "abcd"),
              HasSubstr("expected 5 bytes more, found 4"));
  for (const float score :
       {std::numeric_limits<float>::quiet_NaN(), -1e11F, std::numeric_limits<float>::infinity()}) {
    EXPECT_THAT(changed(260, score, "zz"), HasSubstr("token 260: expected a finite score"));
  }
  EXPECT_THAT(changed(3, 0, "<0x01>"), HasSubstr("token 3: expected the byte <0x00>"));
  EXPECT_THAT(changed(260, 0, "ab"),
              HasSubstr("expected a text of its own, found that of token 259"));
  EXPECT_THAT(changed(263, 0, "q"), HasSubstr("expected a token that is one space"));
  EXPECT_THAT(refusal_of(file_of({good.begin(), good.begin() + 100})),
              HasSubstr("token 100: expected the byte <0x61>"));
  Rng rng = named_stream(4, "rot");
  for (int i = 0; i < 300; ++i) {
    std::string bytes = file_of(good);
    bytes[rng() % bytes.size()] = static_cast<char>(rng() % 256);
    refusal_of(bytes);
  }
}

// Would catch: a text that spells a marker or a byte and becomes one.
TEST_F(Llama2c, NoTextBecomesAMarker) {
  Scored tokens = small_vocabulary();
  tokens.insert(tokens.end(), {{5, "\n"}, {5, "<s>"}, {5, "<s>\n"}, {5, "0x41>"}});
  ASSERT_EQ(refusal_of(file_of(tokens)), "(accepted)");
  const auto tokenizer = load_tokenizer(folder_.path());
  for (const char* text : {"\n<s>\n", "<0x41>"}) {
    for (const Token token : tokenizer->encode(text, {.add_special = false})) {
      EXPECT_FALSE(tokenizer->is_special(token));
      EXPECT_NE(token, 3 + 'A');
    }
    EXPECT_EQ(tokenizer->decode(tokenizer->encode(text)), text);
  }
}

// Would catch: disagreement with the published tokenizer of the 260K model: encoding against
// run.c's algorithm, decoding against the text, at once and in a stream.
TEST(Llama2cFiles, TheSharedStoriesTokenizer) {
  const auto folder = shared_path("models/stories260K");
  if (!folder) GTEST_SKIP() << "the published models are not on this machine";
  const auto tokenizer = load_tokenizer(*folder);
  ASSERT_EQ(tokenizer->vocabulary(), 512);
  Scored tokens;
  const std::string bytes = file_content(*folder + "/tok512.bin");
  for (std::size_t at = 4; at < bytes.size();) {
    float score = 0;
    std::int32_t length = 0;
    std::memcpy(&score, &bytes[at], 4);
    std::memcpy(&length, &bytes[at + 4], 4);
    tokens.emplace_back(score, bytes.substr(at + 8, static_cast<std::size_t>(length)));
    at += 8 + static_cast<std::size_t>(length);
  }
  const std::string golden = file_content(*folder + "/golden_greedy_200.txt");
  for (const std::string& text :
       {std::string("Once upon a time"), golden, std::string("Zoë said: 你好!\n\n  \"Hi\"…\t"),
        std::string(" "), std::string("  x")}) {
    const auto plain = tokenizer->encode(text, {.add_special = false});
    EXPECT_EQ(plain, encoded_by_definition(tokens, text));
    EXPECT_EQ(tokenizer->decode(plain), text);
    TextStream stream(*tokenizer, true);
    std::string streamed;
    for (const Token token : tokenizer->encode(text)) streamed += stream.push(token);
    EXPECT_EQ(streamed + stream.finish(), text);
  }
  EXPECT_EQ(tokenizer->encode("Once upon a time").size(), 5U);
}

}  // namespace
}  // namespace tokenyard::test
