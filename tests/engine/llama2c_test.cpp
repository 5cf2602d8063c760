#include "engine/weights/llama2c.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>

#include "tests/engine/weights_support.hpp"

namespace tokenyard {
namespace {

using test::all_values;
using test::refusal;
using test::row;
using test::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Header = std::array<std::int32_t, 7>;

std::string bytes_of(const auto& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

/// dim 4, hidden_dim 3, 2 layers, 2 heads, 1 KV head, 5 tokens, context 6.
constexpr Header kHeader = {4, 3, 2, 2, 1, 5, 6};
/// Embedding, norms, wq, wk, wv, wo, norms, w1, w2, w3, the last norm, and the tables.
constexpr std::size_t kFloats = 20 + 8 + 32 + 16 + 16 + 32 + 8 + 24 + 24 + 24 + 4 + 12;

/// A checkpoint whose floats are 0, 1, 2 and so on.
std::string checkpoint(const Header& header = kHeader, std::size_t floats = kFloats) {
  std::string text;
  for (const std::int32_t field : header) text += bytes_of(field);
  for (std::size_t i = 0; i < floats; ++i) text += bytes_of(static_cast<float>(i));
  return text;
}

std::string tokenizer() {
  std::string text = bytes_of(std::int32_t{3});
  for (const std::string token : {"<s>", "a", "ab"}) {
    text += bytes_of(-1.5F) + bytes_of(static_cast<std::int32_t>(token.size())) + token;
  }
  return text;
}

std::string refusal_of(const std::string& text) {
  const TemporaryFolder folder;
  folder.write("model.bin", text);
  const std::string message = refusal([&] { load_weights(folder.path("model.bin")); });
  const std::string place = folder.path("model.bin") + ": ";
  return message.starts_with(place) ? message.substr(place.size()) : message;
}

// Would catch: tensors taken in another order, of one layer instead of all, or of another shape.
TEST(Llama2cWeights, TakesTensorsInOrder) {
  const TemporaryFolder folder;
  folder.write("model.bin", checkpoint());
  const ModelWeights weights = load_llama2c(folder.path("model.bin"));
  const ModelConfig& config = weights.config;
  EXPECT_EQ(config.hidden, 4);
  EXPECT_EQ(config.feed_forward, 3);
  EXPECT_EQ(config.layers, 2);
  EXPECT_EQ(config.heads, 2);
  EXPECT_EQ(config.kv_heads, 1);
  EXPECT_EQ(config.head_dim, 2);
  EXPECT_EQ(config.vocabulary, 5);
  EXPECT_EQ(config.context, 6);
  EXPECT_EQ(config.rope_pairs, RopePairs::adjacent);
  EXPECT_THAT(config.rope_frequencies, ElementsAre(1.0F));
  EXPECT_EQ(config.norm_epsilon, 1e-5F);
  EXPECT_TRUE(config.tied_head);
  EXPECT_EQ(config.begin_token, 1);
  EXPECT_THAT(config.end_tokens, ElementsAre(1, 2));
  EXPECT_THAT(row(weights.embedding, 4), ElementsAre(16, 17, 18, 19));
  EXPECT_THAT(row(weights.layers[0].attention_norm_scale), ElementsAre(20, 21, 22, 23));
  EXPECT_THAT(row(weights.layers[1].attention_norm_scale), ElementsAre(24, 25, 26, 27));
  EXPECT_THAT(row(weights.layers[1].query, 0), ElementsAre(44, 45, 46, 47));
  EXPECT_THAT(row(weights.layers[1].key, 1), ElementsAre(72, 73, 74, 75));
  EXPECT_THAT(row(weights.layers[0].value, 0), ElementsAre(76, 77, 78, 79));
  EXPECT_THAT(row(weights.layers[0].output, 3), ElementsAre(104, 105, 106, 107));
  EXPECT_THAT(row(weights.layers[1].feed_forward_norm_scale), ElementsAre(128, 129, 130, 131));
  EXPECT_THAT(row(weights.layers[0].gate, 2), ElementsAre(140, 141, 142, 143));
  EXPECT_THAT(row(weights.layers[1].down, 3), ElementsAre(177, 178, 179));
  EXPECT_THAT(row(weights.layers[1].up, 0), ElementsAre(192, 193, 194, 195));
  EXPECT_THAT(row(weights.final_norm_scale), ElementsAre(204, 205, 206, 207));
  EXPECT_THAT(row(weights.head, 0), ElementsAre(0, 1, 2, 3));
}

// Would catch: a separate output layer that is overlooked, or taken from the tables before it.
TEST(Llama2cWeights, ANegativeVocabularyMeansAnOutputLayer) {
  const TemporaryFolder folder;
  Header header = kHeader;
  header[5] = -5;
  folder.write("model.bin", checkpoint(header, kFloats + 20));
  const ModelWeights weights = load_llama2c(folder.path("model.bin"));
  EXPECT_FALSE(weights.config.tied_head);
  EXPECT_EQ(weights.config.vocabulary, 5);
  EXPECT_THAT(row(weights.head, 0), ElementsAre(220, 221, 222, 223));
}

// Would catch: a tokenizer taken for the model, whatever the two are called.
TEST(Llama2cWeights, TellsTheModelFromTheTokenizerByContent) {
  const TemporaryFolder folder;
  folder.write("a.bin", tokenizer());
  EXPECT_THAT(refusal([&] { load_weights(folder.path()); }), HasSubstr("neither config.json nor"));
  folder.write("b.bin", checkpoint());
  folder.write("c.txt", "not looked at");
  EXPECT_EQ(load_weights(folder.path()).config.vocabulary, 5);
  folder.write("tokenizer.bin", checkpoint());
  EXPECT_EQ(refusal([&] { load_weights(folder.path()); }),
            folder.path() + ": several llama2.c checkpoints: " + folder.path("b.bin") + " and " +
                folder.path("tokenizer.bin"));
}

// Would catch: texts that run on into the next one, as with the end token alone, and tokens that a
// small vocabulary does not have.
TEST(Llama2cWeights, ATextEndsWhereTheNextWouldBegin) {
  const TemporaryFolder folder;
  const auto loaded = [&](std::int32_t vocabulary) {
    Header header = kHeader;
    header[5] = vocabulary;
    const auto changed = static_cast<std::size_t>(4 * (vocabulary - kHeader[5]));
    return load_weights(folder.write("model.bin", checkpoint(header, kFloats + changed))).config;
  };
  EXPECT_EQ(loaded(5).begin_token, 1);
  EXPECT_THAT(loaded(5).end_tokens, ElementsAre(1, 2));
  EXPECT_THAT(loaded(2).end_tokens, ElementsAre(1));
  EXPECT_EQ(loaded(1).begin_token, -1);
  EXPECT_TRUE(loaded(1).end_tokens.empty());
}

// Would catch: a file of another length read beyond its end, or sizes whose product overflows.
TEST(Llama2cWeights, RefusesWhatTheHeaderDoesNotFit) {
  EXPECT_EQ(refusal_of(""), "only 0 bytes; expected a llama2.c checkpoint");
  EXPECT_EQ(refusal_of(checkpoint().substr(0, 27)),
            "only 27 bytes; expected a llama2.c checkpoint");
  EXPECT_EQ(refusal_of(checkpoint(kHeader, kFloats - 1)),
            "tensor \"freq_cis\": cut short; expected [6, 2] floats, found 44 bytes");
  EXPECT_EQ(refusal_of(checkpoint(kHeader, kFloats + 1)),
            "4 bytes more than a checkpoint of this shape has");
  EXPECT_EQ(refusal_of(checkpoint().substr(0, 28 + 4 * 20 + 31)),
            "tensor \"rms_att\": cut short; expected [2, 4] floats, found 31 bytes");
  const auto with = [](std::size_t field, std::int32_t value) {
    Header header = kHeader;
    header[field] = value;
    return refusal_of(checkpoint(header));
  };
  EXPECT_THAT(with(0, 0), HasSubstr("dim: expected an integer from 1 to 16777216, found 0"));
  EXPECT_THAT(with(1, -3), HasSubstr("hidden_dim: expected an integer"));
  EXPECT_THAT(with(5, INT32_MIN), HasSubstr("vocab_size: expected an integer"));
  EXPECT_THAT(with(6, 1 << 25), HasSubstr("seq_len: expected an integer"));
  EXPECT_THAT(with(0, 512), HasSubstr("tensor \"token_embedding\": cut short"));
  EXPECT_EQ(with(0, 516),
            "n_heads: 2 heads of 258 elements are not supported; expected at most 65536 of at most "
            "256");
  EXPECT_THAT(with(2, 1 << 24), HasSubstr("tensor \"rms_att\": cut short"));
  EXPECT_THAT(with(1, 1 << 24), HasSubstr("cut short"));
  EXPECT_EQ(with(3, 4), "n_heads: 4 heads and 1 KV heads do not share a dim of 4");
  EXPECT_THAT(with(4, 3), HasSubstr("n_heads: 2 heads and 3 KV heads"));
  EXPECT_EQ(with(0, 0x616b3432), "a llama2.c checkpoint of version 3; expected a legacy one");
}

}  // namespace
}  // namespace tokenyard
