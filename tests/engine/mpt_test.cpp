// MPT's config.json and checkpoints.

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

constexpr const char* kConfig = R"({"model_type": "mpt", "n_layers": 1, "d_model": 2, "n_heads": 2,
"expansion_ratio": 4, "max_seq_len": 16, "vocab_size": 3, "no_bias": true, "logit_scale": null,
"norm_type": "low_precision_layernorm", "learned_pos_emb": true, "attn_config": {"alibi": true,
"alibi_bias_max": 8, "attn_impl": "torch", "attn_type": "multihead_attention", "clip_qkv": null,
"prefix_lm": false, "qk_ln": false, "softmax_scale": null}})";

CheckpointWriter tensors(const std::string& prefix = "transformer.") {
  CheckpointWriter file;
  file.add(prefix + "wte.weight", {3, 2}, 100);
  const std::string at = prefix + "blocks.0.";
  file.add(at + "norm_1.weight", {2}, 1).add(at + "norm_2.weight", {2}, 3);
  file.add(at + "attn.Wqkv.weight", {6, 2}, 200).add(at + "attn.out_proj.weight", {2, 2}, 220);
  file.add(at + "ffn.up_proj.weight", {8, 2}, 300).add(at + "ffn.down_proj.weight", {2, 8}, 320);
  file.add(prefix + "norm_f.weight", {2}, 5);
  return file;
}

// Would catch: thirds of the fused matrix mixed up, or formulas that are not MPT's.
TEST(Mpt, MapsEveryTensor) {
  const ModelWeights weights = ModelFolder(kConfig, tensors()).load();
  const ModelConfig& config = weights.config;
  EXPECT_EQ(config.feed_forward, 8);
  EXPECT_EQ(config.context, 16);
  EXPECT_EQ(config.norm, NormKind::layer);
  EXPECT_EQ(config.positions, PositionKind::alibi);
  EXPECT_THAT(config.alibi_slopes, ElementsAre(1.0F / 16, 1.0F / 256));
  EXPECT_EQ(config.activation, Activation::gelu);
  EXPECT_EQ(config.qkv_clip, 0.0F);
  EXPECT_TRUE(config.tied_head);
  EXPECT_EQ(config.begin_token, -1);
  EXPECT_TRUE(config.end_tokens.empty());
  const LayerWeights& layer = weights.layers.at(0);
  EXPECT_THAT(row(layer.attention_norm_scale), ElementsAre(1, 2));
  EXPECT_TRUE(layer.attention_norm_shift.empty());
  EXPECT_THAT(row(layer.query, 1), ElementsAre(202, 203));
  EXPECT_THAT(row(layer.key, 0), ElementsAre(204, 205));
  EXPECT_THAT(row(layer.value, 1), ElementsAre(210, 211));
  EXPECT_TRUE(layer.value_bias.empty());
  EXPECT_THAT(row(layer.output, 0), ElementsAre(220, 221));
  EXPECT_THAT(row(layer.feed_forward_norm_scale), ElementsAre(3, 4));
  EXPECT_THAT(row(layer.up, 7), ElementsAre(314, 315));
  EXPECT_THAT(row(layer.down, 0), ElementsAre(320, 321, 322, 323, 324, 325, 326, 327));
  EXPECT_THAT(row(weights.final_norm_scale), ElementsAre(5, 6));
  EXPECT_EQ(row(ModelFolder(kConfig, tensors("")).load().embedding, 2)[1], 105);
}

// Would catch: settings of the attention that are not taken over.
TEST(Mpt, AttentionSettings) {
  const ModelFolder folder(kConfig, tensors());
  EXPECT_EQ(folder.load_with("\"clip_qkv\": null", "\"clip_qkv\": 6").config.qkv_clip, 6.0F);
  EXPECT_THAT(
      folder.load_with("\"alibi_bias_max\": 8", "\"alibi_bias_max\": 16").config.alibi_slopes,
      ElementsAre(1.0F / 256, 1.0F / 65536));
  folder.files().write("generation_config.json", R"({"eos_token_id": 0})");
  EXPECT_THAT(folder.load().config.end_tokens, ElementsAre(0));
}

// Would catch: settings for which there is no code, and biases, taken in silence.
TEST(Mpt, RefusesConfigsByName) {
  const ModelFolder folder(kConfig, tensors());
  EXPECT_EQ(folder.refusal_with("\"alibi\": true", "\"alibi\": false"),
            "config.json:3: /attn_config/alibi: false is not supported; expected true");
  EXPECT_THAT(folder.refusal_with("\"prefix_lm\": false", "\"prefix_lm\": true"),
              HasSubstr("/attn_config/prefix_lm: true is not supported"));
  EXPECT_THAT(folder.refusal_with("\"qk_ln\": false", "\"qk_ln\": true"),
              HasSubstr("/qk_ln: true"));
  EXPECT_THAT(folder.refusal_with("\"softmax_scale\": null", "\"softmax_scale\": 0.1"),
              HasSubstr("/attn_config/softmax_scale: 0.1 is not supported; expected null"));
  EXPECT_THAT(folder.refusal_with("multihead_attention", "multiquery_attention"),
              HasSubstr("/attn_config/attn_type: expected \"multihead_attention\""));
  EXPECT_THAT(folder.refusal_with("\"no_bias\": true", "\"no_bias\": false"),
              HasSubstr("/no_bias: false is not supported"));
  EXPECT_THAT(folder.refusal_with("\"logit_scale\": null", "\"logit_scale\": \"inv_sqrt_d_model\""),
              HasSubstr("/logit_scale: \"inv_sqrt_d_model\" is not supported"));
  EXPECT_THAT(folder.refusal_with("low_precision_layernorm", "rmsnorm"), HasSubstr("/norm_type: "));
  EXPECT_THAT(folder.refusal_with("\"expansion_ratio\": 4", "\"expansion_ratio\": 16777216"),
              HasSubstr("/expansion_ratio: "));
  EXPECT_THAT(folder.refusal_of(tensors().add("transformer.blocks.0.norm_1.bias", {2})),
              HasSubstr("norm_1.bias\": is no part of the model"));
}

}  // namespace
}  // namespace tokenyard
