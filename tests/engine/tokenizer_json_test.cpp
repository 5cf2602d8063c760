// What is refused in a tokenizer.json, and how: damaged files, and kinds that are not supported.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "engine/text/tokenizer.hpp"
#include "tests/support/tokenizer_files.hpp"

namespace tokenyard::test {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

/// Each test changes this one: bytes for "a" and "b" only, and an unknown token.
const std::string kTiny = R"({
"version": "1.0",
"added_tokens": [{"id": 4, "content": "<s>", "special": true}],
"normalizer": null,
"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false},
"post_processor": {"type": "TemplateProcessing",
  "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A"}}],
  "special_tokens": {"<s>": {"id": "<s>", "ids": [4], "tokens": ["<s>"]}}},
"decoder": {"type": "ByteLevel"},
"model": {"type": "BPE", "unk_token": "?",
"vocab": {"a": 0, "b": 1, "ab": 2, "?": 3},
"merges": ["a b"]}
})";

class TokenizerJson : public ::testing::Test {
 protected:
  std::unique_ptr<Tokenizer> load(const std::string& text) {
    file_ = folder_.write("tokenizer.json", text);
    return load_tokenizer(folder_.path());
  }
  std::string refusal_of(const std::string& text) {
    return refusal([&] { load(text); });
  }
  std::string refusal_with(std::string_view from, std::string_view to) {
    return refusal_of(with(kTiny, from, to));
  }

  TemporaryFolder folder_;
  std::string file_;
};

// Would catch: a change of the file above that makes the refusals below be for other reasons.
TEST_F(TokenizerJson, TheSmallFileIsGood) {
  const auto tokenizer = load(kTiny);
  EXPECT_EQ(tokenizer->encode("aab"), (std::vector<Token>{4, 0, 2}));
  EXPECT_EQ(tokenizer->encode("ac"), (std::vector<Token>{4, 0, 3}));
  EXPECT_EQ(tokenizer->vocabulary(), 5);
  EXPECT_EQ(tokenizer->begin_token(), 4);
  EXPECT_EQ(load_tokenizer(file_)->encode("b"), (std::vector<Token>{4, 1}));
}

// Would catch: a tokenizer that works, but not as its file says.
TEST_F(TokenizerJson, OtherKindsAreRefusedByName) {
  const std::string model = "\"type\": \"BPE\"";
  for (const char* type : {"Unigram", "WordPiece", "WordLevel"}) {
    EXPECT_THAT(refusal_with(model, std::string("\"type\": \"") + type + "\""),
                EndsWith(std::string("/model/type: expected \"BPE\", found \"") + type + "\""));
  }
  EXPECT_THAT(refusal_with("\"normalizer\": null", R"("normalizer": {"type": "NFKC"})"),
              HasSubstr("found \"NFKC\", which is not supported"));
  EXPECT_THAT(
      refusal_with("\"normalizer\": null",
                   R"("normalizer": {"type": "Sequence", "normalizers": [{"type": "Lowercase"}]})"),
      HasSubstr("/normalizer/normalizers/0/type: "));
  EXPECT_THAT(refusal_with("{\"type\": \"ByteLevel\", \"add", R"({"type": "Metaspace", "add)"),
              HasSubstr("found \"Metaspace\", which is not supported"));
  EXPECT_THAT(refusal_with("TemplateProcessing", "BertProcessing"),
              HasSubstr("found \"BertProcessing\", which is not supported"));
  EXPECT_THAT(
      refusal_with(R"("decoder": {"type": "ByteLevel"})", R"("decoder": {"type": "WordPiece"})"),
      HasSubstr("found \"WordPiece\", which is not supported"));
  EXPECT_THAT(refusal_with(R"("decoder": {"type": "ByteLevel"})", R"("decoder": null)"),
              HasSubstr("/decoder: expected ByteLevel, as pre-tokenizer and decoder"));
  EXPECT_THAT(refusal_with("\"unk_token\": \"?\"", "\"dropout\": 0.1"),
              HasSubstr("/model/dropout: "));
  EXPECT_THAT(refusal_with("\"unk_token\": \"?\"", "\"continuing_subword_prefix\": \"##\""),
              HasSubstr("word marks are not supported"));
  EXPECT_THAT(refusal_with("\"special\": true", "\"single_word\": true"),
              HasSubstr("must be words are not supported"));
}

// Would catch: tables written out of bounds, merges of tokens that are not there, and tokens that
// overwrite each other.
TEST_F(TokenizerJson, DamagedVocabulariesAreRefused) {
  EXPECT_THAT(
      refusal_with("\"b\": 1", "\"b\": 0"),
      EndsWith("tokenizer.json:11: /model/vocab: token 0 is there twice, the second time as "
               "\"b\""));
  EXPECT_THAT(refusal_with("\"b\": 1", "\"b\": -1"),
              HasSubstr("/model/vocab/b: expected an integer"));
  EXPECT_THAT(refusal_with("\"b\": 1", "\"b\": 99999999999"), HasSubstr("/model/vocab/b: "));
  EXPECT_THAT(refusal_with("\"b\": 1", "\"b\": 2147483647"), HasSubstr("/model/vocab/b: "));
  EXPECT_THAT(refusal_with("\"b\": 1", "\"b\": 1.5"), HasSubstr("/model/vocab/b: "));
  EXPECT_THAT(refusal_with("\"b\": 1", "\"a\": 1"), HasSubstr("duplicate key \"a\""));
  EXPECT_THAT(refusal_with("\"a b\"", "\"a c\""),
              EndsWith("tokenizer.json:12: /model/merges: \"c\" is no token of the vocabulary"));
  EXPECT_THAT(refusal_with("\"a b\"", "\"b a\""), HasSubstr("\"ba\" is no token"));
  EXPECT_THAT(refusal_with("\"a b\"", "\"ab\""), HasSubstr("expected two parts in merge 0"));
  EXPECT_THAT(refusal_with("\"a b\"", "\"a b c\""), HasSubstr("expected two parts in merge 0"));
  EXPECT_THAT(refusal_with("\"a b\"", "[]"), HasSubstr("expected two parts in merge 0"));
  EXPECT_THAT(refusal_with("\"a b\"", "[\"a\", 1]"),
              HasSubstr("/model/merges/0/1: expected a string"));
  EXPECT_THAT(refusal_with("\"id\": 4", "\"id\": 0"), HasSubstr("token 0 is there twice"));
  EXPECT_THAT(refusal_with("\"content\": \"<s>\"", "\"content\": \"a\""),
              HasSubstr("/added_tokens/0/id: expected token 0, which is \"a\" in the vocabulary"));
  EXPECT_THAT(refusal_with("\"id\": 4", "\"id\": -4"), HasSubstr("/added_tokens/0/id: "));
  EXPECT_THAT(refusal_with("\"content\": \"<s>\"", "\"content\": \"\""),
              HasSubstr("expected a text"));
  EXPECT_THAT(refusal_with("\"ids\": [4]", "\"ids\": [5]"),
              HasSubstr("integer from 0 to 4, found 5"));
  EXPECT_THAT(refusal_with("\"Sequence\": {", "\"Sequenz\": {"),
              HasSubstr("/SpecialToken: missing"));
  EXPECT_THAT(refusal_with("{\"SpecialToken\": {\"id\": \"<s>\", \"type_id\": 0}}",
                           "{\"Sequence\": {\"id\": \"A\"}}"),
              HasSubstr("expected the text once"));
}

// Would catch: a pattern or a replacement that a hostile file uses against the program.
TEST_F(TokenizerJson, DamagedStepsAreRefused) {
  const std::string bytes = R"({"type": "ByteLevel", "add_prefix_space": false})";
  const auto split = [&](const std::string& pattern, const std::string& behaviour) {
    return refusal_with(
        bytes, R"({"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": )" + pattern +
                   R"(, "behavior": ")" + behaviour + "\"}, " + bytes + "]}");
  };
  EXPECT_EQ(split(R"({"Regex": "\\p{L}+"})", "Isolated"), "(accepted)");
  EXPECT_EQ(split(R"({"String": "a+"})", "Removed"), "(accepted)");
  EXPECT_THAT(split(R"({"Regex": "("})", "Isolated"), HasSubstr("is not valid at byte 1"));
  EXPECT_THAT(split(R"({"Regex": "a$"})", "Isolated"), HasSubstr("has a line anchor"));
  EXPECT_THAT(split(R"({"Other": "a"})", "Isolated"), HasSubstr("/Regex: missing"));
  EXPECT_THAT(split(R"({"Regex": "a"})", "MergedWithNext"), HasSubstr("found \"MergedWithNext\""));
  EXPECT_THAT(refusal_with(
                  bytes, R"({"type": "Sequence", "pretokenizers": [)" + bytes + "," + bytes + "]}"),
              HasSubstr("expected ByteLevel to be the last step"));
  EXPECT_THAT(refusal_with(bytes, R"({"type": "Sequence", "pretokenizers": []})"),
              HasSubstr("/decoder: expected ByteLevel"));
  const auto replace = [&](const std::string& from, const std::string& to) {
    return refusal_with("\"normalizer\": null", R"("normalizer": {"type": "Replace", "pattern": )" +
                                                    from + R"(, "content": ")" + to + "\"}");
  };
  EXPECT_EQ(replace(R"({"String": " "})", "_"), "(accepted)");
  EXPECT_THAT(replace(R"({"String": ""})", "_"), HasSubstr("expected a text to replace"));
  EXPECT_THAT(replace(R"({"Regex": "a"})", "_"), HasSubstr("/String: missing"));
  EXPECT_THAT(replace(R"({"String": "a"})", "aaaaa"), HasSubstr("at most four times"));
}

// Would catch: the wrong side of a pattern dropped, by either of the two ways to say it.
TEST_F(TokenizerJson, SplitsDropMatchesOrWhatLiesBetween) {
  const std::string bytes = R"({"type": "ByteLevel", "add_prefix_space": false})";
  const auto encoded = [&](const std::string& settings) {
    const std::string steps = R"({"type": "Sequence", "pretokenizers": [{"type": "Split",
      "pattern": {"Regex": "a+"}, )" +
                              settings + "}, " + bytes + "]}";
    return load(with(kTiny, bytes, steps))->encode("aabb", {.add_special = false});
  };
  EXPECT_EQ(encoded(R"("behavior": "Isolated", "invert": true)"), (std::vector<Token>{0, 0, 1, 1}));
  EXPECT_EQ(encoded(R"("behavior": "Removed", "invert": false)"), (std::vector<Token>{1, 1}));
  EXPECT_EQ(encoded(R"("behavior": "Removed", "invert": true)"), (std::vector<Token>{0, 0}));
}

// Would catch: a crash, or a half-read tokenizer, for any file that was cut short or that has a
// byte of rubbish.
TEST_F(TokenizerJson, CutAndRottenFilesNeverCrash) {
  EXPECT_NE(refusal_of(""), "(accepted)");
  EXPECT_NE(refusal_of("[]"), "(accepted)");
  EXPECT_NE(refusal_of(std::string(100'000, '[')), "(accepted)");
  ASSERT_EQ(refusal_of(kTiny), "(accepted)");
  for (std::size_t bytes = kTiny.size(); bytes-- > 0;) {
    std::filesystem::resize_file(file_, bytes);
    ASSERT_NE(refusal([&] { load_tokenizer(file_); }), "(accepted)") << bytes;
  }
  Rng rng = named_stream(5, "rot");
  for (int i = 0; i < 300; ++i) {
    std::string text = kTiny;
    text[rng() % text.size()] = static_cast<char>(rng() % 256);
    refusal([&] { load(text)->encode("ab ba"); });
  }
}

// Would catch: a text refused that could be told by the unknown token, or told as something else
// where there is none.
TEST_F(TokenizerJson, UnknownBytesAreToldOrRefused) {
  const auto tokenizer = load(kTiny);
  EXPECT_EQ(tokenizer->encode("xy", {.add_special = false}), (std::vector<Token>{3, 3}));
  EXPECT_EQ(load(with(kTiny, "\"unk_token\"", "\"fuse_unk\": true, \"unk_token\""))
                ->encode("xyaxx", {.add_special = false}),
            (std::vector<Token>{3, 0, 3}));
  const auto without = load(with(kTiny, "\"unk_token\": \"?\",", ""));
  EXPECT_EQ(refusal([&] { without->encode("ax"); }),
            file_ + ": the vocabulary has no token for the byte 0x78 and no unknown token");
}

// Would catch: "nothing here" told as if a file were damaged, or the wrong one of several chosen.
TEST(LoadTokenizer, PicksByWhatLiesThere) {
  const TemporaryFolder folder;
  EXPECT_THAT(refusal([&] { load_tokenizer(folder.path()); }),
              HasSubstr("no tokenizer; expected tokenizer.json, or vocab.json with merges.txt"));
  folder.write("tokenizer.model", "x");
  EXPECT_THAT(refusal([&] { load_tokenizer(folder.path()); }),
              HasSubstr("SentencePiece's own format"));
  folder.write("tok1.bin", "");
  EXPECT_THAT(refusal([&] { load_tokenizer(folder.path()); }), HasSubstr("tok1.bin: ends within"));
  folder.write("tok2.bin", "");
  EXPECT_THAT(refusal([&] { load_tokenizer(folder.path()); }),
              HasSubstr("expected one tokenizer, found tok1.bin and tok2.bin"));
  folder.write("vocab.json", "{}");
  folder.write("merges.txt", "a b\n");
  EXPECT_THAT(refusal([&] { load_tokenizer(folder.path()); }), HasSubstr("merges.txt:1: \"a\""));
  folder.write("tokenizer.json", "{}");
  EXPECT_THAT(refusal([&] { load_tokenizer(folder.path()); }), HasSubstr("/model: missing"));
  EXPECT_THAT(refusal([&] { load_tokenizer(folder.path() + "/none"); }),
              HasSubstr("expected a model's"));
  EXPECT_THAT(refusal([&] { load_tokenizer(folder.path() + "/no.json"); }),
              HasSubstr("cannot open"));
  EXPECT_THAT(refusal([&] { load_tokenizer(folder.path() + "/no.bin"); }),
              HasSubstr("cannot open"));
}

}  // namespace
}  // namespace tokenyard::test
