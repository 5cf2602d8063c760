// BLOOM's config.json and checkpoints.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "tests/engine/checkpoint_writer.hpp"
#include "tests/engine/weights_support.hpp"

namespace tokenyard {
namespace {

using test::CheckpointWriter;
using test::ModelFolder;
using test::row;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kConfig = R"({"model_type": "bloom", "n_layer": 1, "n_embed": 6,
"num_attention_heads": 3, "seq_length": 8, "vocab_size": 4, "layer_norm_epsilon": 1e-05,
"apply_residual_connection_post_layernorm": false, "bos_token_id": 1, "eos_token_id": 2,
"offset_alibi": 100, "slow_but_exact": false})";

CheckpointWriter tensors(const std::string& prefix = "transformer.") {
  CheckpointWriter file;
  file.add(prefix + "word_embeddings.weight", {4, 6}, 100);
  const auto norm = [&](const std::string& name, float first) {
    file.add(prefix + name + ".weight", {6}, first).add(prefix + name + ".bias", {6}, first + 10);
  };
  const auto linear = [&](const std::string& name, std::int64_t rows, std::int64_t columns,
                          float first) {
    file.add(prefix + name + ".weight", {rows, columns}, first);
    file.add(prefix + name + ".bias", {rows}, first + 500);
  };
  norm("word_embeddings_layernorm", 20);
  norm("h.0.input_layernorm", 40);
  linear("h.0.self_attention.query_key_value", 18, 6, 1000);
  linear("h.0.self_attention.dense", 6, 6, 2000);
  norm("h.0.post_attention_layernorm", 60);
  linear("h.0.mlp.dense_h_to_4h", 24, 6, 3000);
  linear("h.0.mlp.dense_4h_to_h", 6, 24, 4000);
  norm("ln_f", 80);
  return file;
}

// Would catch: heads or thirds mixed up in the fused matrix or in its bias: row (head x 3 + part) x
// head_dim + i of the file is row head x head_dim + i of the part.
TEST(Bloom, TakesQueryKeyAndValueApartHeadByHead) {
  const ModelWeights weights = ModelFolder(kConfig, tensors()).load();
  const LayerWeights& layer = weights.layers.at(0);
  const std::array<const TensorView*, 3> parts = {&layer.query, &layer.key, &layer.value};
  const std::array<const TensorView*, 3> biases = {&layer.query_bias, &layer.key_bias,
                                                   &layer.value_bias};
  for (std::size_t part = 0; part < 3; ++part) {
    for (std::size_t head = 0; head < 3; ++head) {
      for (std::size_t i = 0; i < 2; ++i) {
        const std::size_t stored = (head * 3 + part) * 2 + i;
        const auto values = row(*parts[part], static_cast<std::int64_t>(head * 2 + i));
        EXPECT_EQ(values[0], 1000 + static_cast<float>(stored * 6)) << part << head << i;
        EXPECT_EQ(values[5], 1005 + static_cast<float>(stored * 6)) << part << head << i;
        EXPECT_EQ(row(*biases[part])[head * 2 + i], 1500 + static_cast<float>(stored));
      }
    }
  }
}

// Would catch: a copied bias that dies with what read it.
TEST(Bloom, ViewsLiveAsLongAsTheWeights) {
  ModelWeights kept;
  {
    const ModelFolder folder(kConfig, tensors());
    kept = folder.load();
  }
  EXPECT_EQ(row(kept.layers[0].key_bias)[0], 1502);
  EXPECT_EQ(row(kept.embedding, 0)[0], 100);
}

// Would catch: a tensor under another's name, or a formula that is not BLOOM's.
TEST(Bloom, MapsTheOthers) {
  const ModelWeights weights = ModelFolder(kConfig, tensors()).load();
  const ModelConfig& config = weights.config;
  EXPECT_EQ(config.hidden, 6);
  EXPECT_EQ(config.feed_forward, 24);
  EXPECT_EQ(config.context, 8);
  EXPECT_TRUE(config.embedding_norm);
  EXPECT_EQ(config.positions, PositionKind::alibi);
  EXPECT_THAT(config.alibi_slopes, ElementsAre(1.0F / 16, 1.0F / 256, 0.25F));
  EXPECT_EQ(config.activation, Activation::gelu_tanh);
  EXPECT_TRUE(config.tied_head);
  const LayerWeights& layer = weights.layers.at(0);
  EXPECT_EQ(row(weights.embedding_norm_scale)[0], 20);
  EXPECT_EQ(row(weights.embedding_norm_shift)[0], 30);
  EXPECT_EQ(row(layer.attention_norm_scale)[5], 45);
  EXPECT_EQ(row(layer.output, 1)[0], 2006);
  EXPECT_EQ(row(layer.output_bias)[1], 2501);
  EXPECT_EQ(row(layer.feed_forward_norm_shift)[0], 70);
  EXPECT_EQ(row(layer.up, 23)[5], 3143);
  EXPECT_EQ(row(layer.up_bias)[23], 3523);
  EXPECT_EQ(row(layer.down, 5)[0], 4120);
  EXPECT_EQ(row(layer.down_bias)[5], 4505);
  EXPECT_EQ(row(weights.final_norm_shift)[0], 90);
  EXPECT_EQ(row(ModelFolder(kConfig, tensors("")).load().embedding, 0)[0], 100);
}

// Would catch: sizes under their other names overlooked, or another residual taken in silence.
TEST(Bloom, OtherNamesAndRefusals) {
  const ModelFolder folder(kConfig, tensors());
  EXPECT_EQ(folder.load_with("n_embed", "hidden_size").config.hidden, 6);
  EXPECT_EQ(folder.load_with("num_attention_heads", "n_head").config.heads, 3);
  EXPECT_EQ(folder.load_with("\"seq_length\": 8", "\"a\": 8").config.context, 2048);
  EXPECT_THAT(folder.refusal_with("post_layernorm\": false", "post_layernorm\": true"),
              HasSubstr("/apply_residual_connection_post_layernorm: true is not supported"));
  EXPECT_THAT(folder.refusal_with("\"n_embed\": 6", "\"n_embed\": 8"),
              HasSubstr("expected a divisor of the hidden size 8, found 3"));
}

}  // namespace
}  // namespace tokenyard
