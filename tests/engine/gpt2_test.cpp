// GPT-2's config.json and checkpoints.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

constexpr const char* kConfig = R"({"model_type": "gpt2", "n_layer": 1, "n_embd": 2, "n_head": 1,
"n_positions": 3, "n_ctx": 3, "vocab_size": 4, "n_inner": null, "layer_norm_epsilon": 1e-05,
"activation_function": "gelu_new", "bos_token_id": 3, "eos_token_id": 3,
"scale_attn_by_inverse_layer_idx": false})";

CheckpointWriter tensors(const std::string& prefix = "") {
  CheckpointWriter file;
  file.add(prefix + "wte.weight", {4, 2}, 100).add(prefix + "wpe.weight", {3, 2}, 120);
  const std::string at = prefix + "h.0.";
  file.add(at + "ln_1.weight", {2}, 1).add(at + "ln_1.bias", {2}, 3);
  file.add_bytes(at + "attn.bias", "BOOL", {1, 1, 2, 2}, std::string(4, '\1'));
  file.add(at + "attn.masked_bias", {});
  file.add(at + "attn.c_attn.weight", {2, 6}, 200).add(at + "attn.c_attn.bias", {6}, 220);
  file.add(at + "attn.c_proj.weight", {2, 2}, 230).add(at + "attn.c_proj.bias", {2}, 240);
  file.add(at + "ln_2.weight", {2}, 5).add(at + "ln_2.bias", {2}, 7);
  file.add(at + "mlp.c_fc.weight", {2, 8}, 300).add(at + "mlp.c_fc.bias", {8}, 320);
  file.add(at + "mlp.c_proj.weight", {8, 2}, 340).add(at + "mlp.c_proj.bias", {2}, 360);
  file.add(prefix + "ln_f.weight", {2}, 9).add(prefix + "ln_f.bias", {2}, 11);
  return file;
}

// Would catch: a matrix that is not turned round, or thirds of the fused one mixed up. Row r and
// column c of a result are column r and row c of the file.
TEST(Gpt2, MapsEveryTensor) {
  const ModelWeights weights = ModelFolder(kConfig, tensors()).load();
  const ModelConfig& config = weights.config;
  EXPECT_EQ(config.feed_forward, 8) << "four times the hidden size";
  EXPECT_EQ(config.context, 3);
  EXPECT_EQ(config.norm, NormKind::layer);
  EXPECT_EQ(config.positions, PositionKind::learned);
  EXPECT_EQ(config.position_offset, 0);
  EXPECT_EQ(config.activation, Activation::gelu_tanh);
  EXPECT_TRUE(config.tied_head);
  EXPECT_THAT(config.end_tokens, ElementsAre(3));
  const LayerWeights& layer = weights.layers.at(0);
  EXPECT_THAT(row(weights.position_embedding, 2), ElementsAre(124, 125));
  EXPECT_THAT(row(layer.attention_norm_scale), ElementsAre(1, 2));
  EXPECT_THAT(row(layer.attention_norm_shift), ElementsAre(3, 4));
  EXPECT_THAT(row(layer.query, 0), ElementsAre(200, 206));
  EXPECT_THAT(row(layer.query, 1), ElementsAre(201, 207));
  EXPECT_THAT(row(layer.key, 0), ElementsAre(202, 208));
  EXPECT_THAT(row(layer.value, 1), ElementsAre(205, 211));
  EXPECT_THAT(row(layer.query_bias), ElementsAre(220, 221));
  EXPECT_THAT(row(layer.key_bias), ElementsAre(222, 223));
  EXPECT_THAT(row(layer.value_bias), ElementsAre(224, 225));
  EXPECT_THAT(row(layer.output, 1), ElementsAre(231, 233));
  EXPECT_THAT(row(layer.output_bias), ElementsAre(240, 241));
  EXPECT_THAT(row(layer.feed_forward_norm_shift), ElementsAre(7, 8));
  EXPECT_THAT(row(layer.up, 7), ElementsAre(307, 315));
  EXPECT_THAT(row(layer.up_bias), ElementsAre(320, 321, 322, 323, 324, 325, 326, 327));
  EXPECT_THAT(row(layer.down, 1), ElementsAre(341, 343, 345, 347, 349, 351, 353, 355));
  EXPECT_THAT(row(layer.down_bias), ElementsAre(360, 361));
  EXPECT_THAT(row(weights.final_norm_shift), ElementsAre(11, 12));
}

// Would catch: the names that the model with its head is saved under refused.
TEST(Gpt2, NamesMayHaveAPrefix) {
  EXPECT_EQ(row(ModelFolder(kConfig, tensors("transformer.")).load().embedding, 0)[0], 100);
}

// Would catch: settings that change the formulas taken in silence.
TEST(Gpt2, RefusesConfigsByName) {
  const ModelFolder folder(kConfig, tensors());
  EXPECT_EQ(folder.refusal_with("\"scale_attn_by_inverse_layer_idx\": false",
                                "\"scale_attn_by_inverse_layer_idx\": true"),
            "config.json:4: /scale_attn_by_inverse_layer_idx: true is not supported; expected "
            "false");
  EXPECT_THAT(folder.refusal_with("\"n_ctx\": 3", "\"scale_attn_weights\": false"),
              HasSubstr("/scale_attn_weights: false is not supported"));
  EXPECT_THAT(folder.refusal_with("gelu_new", "silu"),
              HasSubstr("/activation_function: \"silu\" is supported in gated layers only"));
  EXPECT_THAT(folder.refusal_with("\"n_inner\": null", "\"n_inner\": 9"),
              HasSubstr("tensor \"h.0.mlp.c_fc.weight\": expected the shape [2, 9], found [2, 8]"));
  EXPECT_EQ(folder.load_with("gelu_new", "gelu").config.activation, Activation::gelu);
  EXPECT_EQ(folder.load_with("gelu_new", "relu").config.activation, Activation::relu);
  EXPECT_EQ(
      folder.load_with("\"bos_token_id\": 3, \"eos_token_id\": 3", "\"a\": 0").config.begin_token,
      -1)
      << "50256 is not in this vocabulary";
}

}  // namespace
}  // namespace tokenyard
