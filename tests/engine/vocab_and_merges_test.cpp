#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/text/tokenizer.hpp"
#include "tests/support/tokenizer_files.hpp"

namespace tokenyard::test {
namespace {

using ::testing::HasSubstr;

class VocabAndMerges : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_.write("vocab.json", R"({"a": 0, "b": 1, "Ġ": 2, "ab": 3, "#": 4, "##": 5})");
    folder_.write("merges.txt", "#version: 0.2\n# #\na b\n");
  }
  std::vector<Token> encode(std::string_view text, const EncodeOptions& options = {}) {
    return load_tokenizer(folder_.path())->encode(text, options);
  }
  std::string refused() {
    return refusal([&] { load_tokenizer(folder_.path()); });
  }

  TemporaryFolder folder_;
};

// Would catch: merges that look like comments left out, a line's end read as part of a token.
TEST_F(VocabAndMerges, ReadsMerges) {
  EXPECT_EQ(encode("ab ##"), (std::vector<Token>{3, 2, 5}));
  folder_.write("merges.txt", "#version: 0.2\r\n# #\r\na b\r\n\r\n");
  EXPECT_EQ(encode("ab##"), (std::vector<Token>{3, 5}));
}

// Would catch: GPT-2's marker not known where no file names it (as in its own folder), or added to
// a text that should not have it.
TEST_F(VocabAndMerges, Gpt2sMarkerIsKnown) {
  folder_.write("vocab.json", R"({"a": 0, "b": 1, "ab": 2, "#": 3, "##": 4, "<|endoftext|>": 5})");
  const auto tokenizer = load_tokenizer(folder_.path());
  EXPECT_EQ(tokenizer->begin_token(), 5);
  EXPECT_EQ(tokenizer->end_token(), 5);
  EXPECT_TRUE(tokenizer->is_special(5));
  EXPECT_EQ(encode("a"), (std::vector<Token>{0}));
  EXPECT_EQ(encode("a<|endoftext|>b", {.parse_special = true}), (std::vector<Token>{0, 5, 1}));
  EXPECT_EQ(encode("ax"), (std::vector<Token>{0, 5})) << "it also stands for the unknown";
}

// Would catch: roles or settings of the files beside it overlooked.
TEST_F(VocabAndMerges, TheFolderTellsRoles) {
  folder_.write("added_tokens.json", R"({"<x>": 6, "<y>": 7})");
  folder_.write("tokenizer_config.json",
                R"({"add_bos_token": true, "bos_token": "<x>", "add_prefix_space": true})");
  folder_.write("special_tokens_map.json", R"({"bos_token": "<y>", "eos_token": "<y>"})");
  const auto tokenizer = load_tokenizer(folder_.path());
  EXPECT_EQ(tokenizer->begin_token(), 6);
  EXPECT_EQ(tokenizer->end_token(), 7);
  EXPECT_EQ(tokenizer->vocabulary(), 8);
  EXPECT_EQ(encode("a"), (std::vector<Token>{6, 2, 0}));
  EXPECT_EQ(encode("a<y>", {.add_special = false, .parse_special = true}),
            (std::vector<Token>{2, 0, 7}));
  folder_.write("tokenizer_config.json", R"({"add_bos_token": true, "bos_token": "<z>"})");
  EXPECT_THAT(refused(), HasSubstr("expected a bos_token that is in vocab.json, found \"<z>\""));
}

// Would catch: damage in either file that goes unnoticed, or is told without its place.
TEST_F(VocabAndMerges, DamagedFilesAreRefused) {
  folder_.write("merges.txt", "#version: 0.2\na b\na c\n");
  EXPECT_EQ(refused(), folder_.path() + "/merges.txt:3: \"c\" is no token of the vocabulary");
  folder_.write("merges.txt", "a b #\n");
  EXPECT_THAT(refused(), HasSubstr("merges.txt:1: expected two parts with a space between"));
  folder_.write("merges.txt", "a\n");
  EXPECT_THAT(refused(), HasSubstr("merges.txt:1: expected two parts"));
  folder_.write("merges.txt", std::string("\xFF\x00 \x01\n", 5));
  EXPECT_THAT(refused(), HasSubstr("is no token of the vocabulary"));
  folder_.write("merges.txt", "a b\n");
  folder_.write("vocab.json", R"({"a": 0, "b": 0, "ab": 1})");
  EXPECT_THAT(refused(), HasSubstr("vocab.json: token 0 is there twice"));
  folder_.write("vocab.json", R"({"a": 0, "b": 1, "ab": -2})");
  EXPECT_THAT(refused(), HasSubstr("vocab.json:1: /ab: expected an integer"));
  folder_.write("vocab.json", R"({"a": 0, "b": 1, "ab": 2})");
  folder_.write("added_tokens.json", R"({"<x>": 1})");
  EXPECT_THAT(refused(), HasSubstr("token 1 is there twice, the second time as \"<x>\""));
}

// Would catch: the small published model refused: its vocabulary has gaps in the bytes.
TEST(VocabAndMergesFiles, TheSharedTinyGpt2Loads) {
  const auto folder = shared_path("models/tiny_gpt2");
  if (!folder) GTEST_SKIP() << "the published models are not on this machine";
  const auto tokenizer = load_tokenizer(*folder);
  EXPECT_EQ(tokenizer->vocabulary(), 21);
  EXPECT_EQ(tokenizer->encode(" lower newer"), (std::vector<Token>{14, 15, 10, 9, 3, 2, 15}));
  EXPECT_EQ(tokenizer->decode(tokenizer->encode(" lower newer")), " lower newer");
}

}  // namespace
}  // namespace tokenyard::test
