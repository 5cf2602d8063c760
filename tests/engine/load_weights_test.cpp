// The small checkpoints that were made by others, where this machine has them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "engine/weights/model_weights.hpp"
#include "tests/engine/weights_support.hpp"

namespace tokenyard {
namespace {

using test::refusal;
using test::row;
using test::shared_path;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Would catch: a llama2.c header or order of tensors read otherwise than llama2.c writes it. The
// final norm's scale is positive throughout only if all before it has the right length.
TEST(LoadWeights, ReadsStories260K) {
  const auto folder = shared_path("models/stories260K");
  if (!folder) GTEST_SKIP() << "no shared models here";
  const ModelWeights weights = load_weights(*folder);
  const ModelConfig& config = weights.config;
  EXPECT_EQ(config.architecture, "llama");
  EXPECT_EQ(config.layers, 5);
  EXPECT_EQ(config.hidden, 64);
  EXPECT_EQ(config.heads, 8);
  EXPECT_EQ(config.kv_heads, 4);
  EXPECT_EQ(config.head_dim, 8);
  EXPECT_EQ(config.feed_forward, 172);
  EXPECT_EQ(config.vocabulary, 512);
  EXPECT_EQ(config.context, 512);
  EXPECT_TRUE(config.tied_head);
  EXPECT_EQ(config.rope_pairs, RopePairs::adjacent);
  EXPECT_EQ(weights.head.data, weights.embedding.data);
  for (const float scale : row(weights.final_norm_scale)) EXPECT_GT(scale, 0.5F);
  for (const LayerWeights& layer : weights.layers) {
    for (const float scale : row(layer.feed_forward_norm_scale)) EXPECT_GT(scale, 0.0F);
  }
}

// Would catch: a safetensors file or a config of the Hugging Face library's making that is refused
// or read askew.
TEST(LoadWeights, ReadsTinyGpt2) {
  const auto folder = shared_path("models/tiny_gpt2");
  if (!folder) GTEST_SKIP() << "no shared models here";
  const ModelWeights weights = load_weights(*folder);
  const ModelConfig& config = weights.config;
  EXPECT_EQ(config.architecture, "gpt2");
  EXPECT_EQ(config.hidden, 2);
  EXPECT_EQ(config.feed_forward, 8);
  EXPECT_EQ(config.vocabulary, 21);
  EXPECT_EQ(config.activation, Activation::gelu_tanh);
  EXPECT_EQ(config.begin_token, 20);
  EXPECT_THAT(config.end_tokens, ElementsAre(20));
  EXPECT_THAT(row(weights.final_norm_scale), ElementsAre(1.0F, 1.0F));
  EXPECT_THAT(row(weights.layers[0].attention_norm_shift), ElementsAre(0.0F, 0.0F));
  EXPECT_LT(std::abs(row(weights.layers[0].key, 1)[0]), 0.1F);
}

// Would catch: a source that is not there, or holds nothing, without a hint at what is expected.
TEST(LoadWeights, RefusesFoldersWithNothingToLoad) {
  const test::TemporaryFolder folder;
  EXPECT_EQ(refusal([&] { load_weights(folder.path()); }),
            folder.path() + ": neither config.json nor a llama2.c checkpoint (*.bin) is here");
  EXPECT_THAT(refusal([&] { load_weights(folder.path("absent")); }),
              HasSubstr("absent: cannot open: No such file"));
  EXPECT_THAT(refusal([] { load_weights(""); }), HasSubstr("cannot open"));
  EXPECT_THAT(refusal([] { load_weights("/dev/null"); }), HasSubstr("not a regular file"));
  folder.write("config.json", R"({"model_type": "gpt2", "n_layer": 1, "n_embd": 2, "n_head": 1,
"vocab_size": 4})");
  EXPECT_EQ(refusal([&] { load_weights(folder.path()); }),
            folder.path() + ": no model.safetensors and no model.safetensors.index.json");
}

}  // namespace
}  // namespace tokenyard
