// Against Hugging Face's own implementation, which made the numbers in tests/data/tokenizers.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/text/text_stream.hpp"
#include "engine/text/tokenizer.hpp"
#include "sim/kernel/strict_json.hpp"
#include "tests/support/tokenizer_files.hpp"

namespace tokenyard::test {
namespace {

using ::testing::ElementsAre;

constexpr std::int64_t kTokenMost = 100'000;

const std::vector<std::string> kNames = {"gpt2", "opt", "llama3", "bloom", "llama2"};

std::unique_ptr<Tokenizer> load(const std::string& name) {
  return load_tokenizer((kTokenizers / name).string());
}

std::vector<Token> tokens_of(const JsonObject& object, const std::string& key) {
  const auto numbers = object.integers(key, 0, kTokenMost);
  return {numbers.begin(), numbers.end()};
}

/// All texts of cases.json with one tokenizer, whose tokens are under `key`.
void expect_cases(const Tokenizer& tokenizer, const std::string& key) {
  const auto cases = JsonFile::read((kTokenizers / "cases.json").string()).objects("cases");
  ASSERT_GE(cases.size(), 60U);
  for (const JsonObject& one : cases) {
    const std::string text = one.string("text");
    const auto plain = tokens_of(one, key);
    EXPECT_EQ(tokenizer.encode(text), plain) << key << ": " << ::testing::PrintToString(text);
    const std::string with_special = key + ", parse_special";
    EXPECT_EQ(tokenizer.encode(text, {.parse_special = true}),
              one.has(with_special) ? tokens_of(one, with_special) : plain)
        << with_special << ": " << ::testing::PrintToString(text);
  }
}

// Would catch: a splitting pattern, a merge order, a byte of the alphabet, a begin token or an
// added token that differs from the models' own tokenizers in any of the difficult texts.
TEST(HuggingFaceTokenizer, EncodesAsTheReferenceDoes) {
  for (const auto& name : kNames) expect_cases(*load(name), name);
}

// Would catch: the first space forgotten, or put before a text that has one.
TEST(HuggingFaceTokenizer, AddsThePrefixSpace) {
  const TemporaryFolder folder;
  folder.write("tokenizer.json", with(file_content(kTokenizers / "gpt2/tokenizer.json"),
                                      "\"add_prefix_space\": false", "\"add_prefix_space\": true"));
  expect_cases(*load_tokenizer(folder.path()), "gpt2 with add_prefix_space");
}

// Would catch: bytes made valid differently from the reference, at once or in a stream.
TEST(HuggingFaceTokenizer, DecodesAsTheReferenceDoes) {
  std::map<std::string, std::unique_ptr<Tokenizer>> tokenizers;
  const auto decodings = JsonFile::read((kTokenizers / "cases.json").string()).objects("decodings");
  ASSERT_GE(decodings.size(), 20U);
  for (const JsonObject& one : decodings) {
    auto& tokenizer = tokenizers[one.string("tokenizer")];
    if (tokenizer == nullptr) tokenizer = load(one.string("tokenizer"));
    TextStream stream(*tokenizer, true);
    std::string text;
    for (const Token token : tokens_of(one, "tokens")) text += stream.push(token);
    EXPECT_EQ(text + stream.finish(), one.string("text"));
  }
}

// Would catch: a text that does not come back byte for byte, whatever it is made of; and a special
// token that a text can bring about.
TEST(HuggingFaceTokenizer, DecodingGivesTheTextBack) {
  Rng rng = named_stream(7, "texts");
  for (const auto& name : kNames) {
    const auto tokenizer = load(name);
    for (int i = 0; i < 400; ++i) {
      const std::size_t length = rng() % 40;
      const std::string text = i % 2 == 0 ? random_unicode(rng, length) : random_bytes(rng, length);
      const auto tokens = tokenizer->encode(text);
      ASSERT_EQ(tokenizer->decode(tokens), text) << name;
      for (const Token token : tokenizer->encode(text, {.add_special = false})) {
        ASSERT_FALSE(tokenizer->is_special(token)) << name;
      }
    }
  }
}

// Would catch: special tokens that no client asked for in the output, or that are lost where the
// caller wants to see them.
TEST(HuggingFaceTokenizer, SpecialTokensAreShownOnRequest) {
  const auto tokenizer = load("llama3");
  const auto tokens = tokenizer->encode("<|begin_of_text|>a<|eot_id|>", {.parse_special = true});
  EXPECT_EQ(tokenizer->decode(tokens), "a");
  EXPECT_EQ(tokenizer->decode(tokens, true), "<|begin_of_text|><|begin_of_text|>a<|eot_id|>");
  EXPECT_EQ(tokenizer->piece(tokens[0]), "<|begin_of_text|>");
  const auto tool = tokenizer->encode("a<tool>b");
  EXPECT_EQ(tokenizer->decode(tool), "a<tool>b") << "an added token that is part of the text";
}

// Would catch: a stray token that ends the program, as the rows beyond a vocabulary are never far.
TEST(HuggingFaceTokenizer, TokensOutsideTheVocabularyStandForNothing) {
  const auto tokenizer = load("gpt2");
  for (const Token token : {-1, -2'000'000'000, tokenizer->vocabulary(), 2'000'000'000}) {
    EXPECT_EQ(tokenizer->piece(token), "");
    EXPECT_FALSE(tokenizer->is_special(token));
    EXPECT_EQ(tokenizer->decode(std::vector{token}), "");
  }
}

// Would catch: a model that never sees its begin token, or sees one that it was not trained with.
TEST(HuggingFaceTokenizer, KnowsTheMarkers) {
  const auto gpt2 = load("gpt2");
  EXPECT_THAT(gpt2->encode("a", {.add_special = true}).size(), 1U);
  EXPECT_EQ(gpt2->begin_token(), -1) << "the file alone does not tell";
  const auto opt = load("opt");
  EXPECT_EQ(opt->begin_token(), 2);
  EXPECT_EQ(opt->end_token(), 2);
  EXPECT_EQ(opt->encode("", {.add_special = true}), std::vector<Token>{2});
  EXPECT_THAT(opt->encode("", {.add_special = false}), ElementsAre());
  const auto llama2 = load("llama2");
  EXPECT_EQ(llama2->begin_token(), 1);
  EXPECT_TRUE(llama2->drops_first_space());
  const TemporaryFolder folder;
  folder.write("tokenizer.json", file_content(kTokenizers / "llama2/tokenizer.json"));
  folder.write("tokenizer_config.json", R"({"bos_token": {"content": "<unk>"}})");
  folder.write("special_tokens_map.json", R"({"bos_token": "<s>", "eos_token": "</s>"})");
  EXPECT_EQ(load_tokenizer(folder.path())->begin_token(), 0);
  EXPECT_EQ(load_tokenizer(folder.path())->end_token(), 2);
}

// Would catch: merging in quadratic time, with or without words to stay within (the test would not
// end), and steps of matching that grow faster than the text.
TEST(HuggingFaceTokenizer, LongTextsWithoutWordsAreEncoded) {
  const std::map<std::string, std::size_t> units = {
      {"a", 1U << 20}, {" ", 1U << 20}, {"the", 50'000}, {"\n ", 50'000},
      {"1", 50'000},   {"!", 50'000},   {"\xC3", 50'000}};
  for (const auto& name : kNames) {
    const auto tokenizer = load(name);
    for (const auto& [unit, times] : units) {
      std::string text;
      for (std::size_t i = 0; i < times; ++i) text += unit;
      ASSERT_EQ(tokenizer->decode(tokenizer->encode(text)), text) << name << " '" << unit << "'";
    }
  }
}

}  // namespace
}  // namespace tokenyard::test
