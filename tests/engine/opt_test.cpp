// OPT's config.json and checkpoints.

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

constexpr const char* kConfig = R"({"model_type": "opt", "num_hidden_layers": 1, "hidden_size": 2,
"num_attention_heads": 2, "ffn_dim": 3, "max_position_embeddings": 4, "vocab_size": 5,
"word_embed_proj_dim": 2, "do_layer_norm_before": true, "activation_function": "relu",
"bos_token_id": 2, "eos_token_id": 2, "pad_token_id": 1, "_remove_final_layer_norm": false})";

CheckpointWriter tensors(const std::string& prefix = "model.decoder.", bool biases = true) {
  CheckpointWriter file;
  file.add(prefix + "embed_tokens.weight", {5, 2}, 100);
  file.add(prefix + "embed_positions.weight", {6, 2}, 120);
  const std::string at = prefix + "layers.0.";
  const auto linear = [&](const std::string& name, std::int64_t rows, std::int64_t columns,
                          float first) {
    file.add(at + name + ".weight", {rows, columns}, first);
    if (biases) file.add(at + name + ".bias", {rows}, first + 10);
  };
  file.add(at + "self_attn_layer_norm.weight", {2}, 1)
      .add(at + "self_attn_layer_norm.bias", {2}, 3);
  linear("self_attn.q_proj", 2, 2, 200);
  linear("self_attn.k_proj", 2, 2, 220);
  linear("self_attn.v_proj", 2, 2, 240);
  linear("self_attn.out_proj", 2, 2, 260);
  file.add(at + "final_layer_norm.weight", {2}, 5).add(at + "final_layer_norm.bias", {2}, 7);
  linear("fc1", 3, 2, 300);
  linear("fc2", 2, 3, 320);
  file.add(prefix + "final_layer_norm.weight", {2}, 9);
  file.add(prefix + "final_layer_norm.bias", {2}, 11);
  file.add("lm_head.weight", {5, 2}, 100);
  return file;
}

// Would catch: the two rows of padding before the positions overlooked, or a layer's final norm
// taken for the model's.
TEST(Opt, MapsEveryTensor) {
  const ModelWeights weights = ModelFolder(kConfig, tensors()).load();
  const ModelConfig& config = weights.config;
  EXPECT_EQ(config.head_dim, 1);
  EXPECT_EQ(config.context, 4);
  EXPECT_EQ(config.position_offset, 2);
  EXPECT_EQ(config.norm_epsilon, 1e-5F);
  EXPECT_EQ(config.activation, Activation::relu);
  EXPECT_TRUE(config.tied_head);
  EXPECT_EQ(config.begin_token, 2);
  const LayerWeights& layer = weights.layers.at(0);
  EXPECT_EQ(weights.position_embedding.rows, 6);
  EXPECT_THAT(row(weights.position_embedding, 2), ElementsAre(124, 125));
  EXPECT_THAT(row(layer.attention_norm_shift), ElementsAre(3, 4));
  EXPECT_THAT(row(layer.query, 1), ElementsAre(202, 203));
  EXPECT_THAT(row(layer.query_bias), ElementsAre(210, 211));
  EXPECT_THAT(row(layer.key, 0), ElementsAre(220, 221));
  EXPECT_THAT(row(layer.value_bias), ElementsAre(250, 251));
  EXPECT_THAT(row(layer.output, 0), ElementsAre(260, 261));
  EXPECT_THAT(row(layer.feed_forward_norm_scale), ElementsAre(5, 6));
  EXPECT_THAT(row(layer.up, 2), ElementsAre(304, 305));
  EXPECT_THAT(row(layer.down, 1), ElementsAre(323, 324, 325));
  EXPECT_THAT(row(layer.down_bias), ElementsAre(330, 331));
  EXPECT_THAT(row(weights.final_norm_scale), ElementsAre(9, 10));
  EXPECT_EQ(weights.head.data, weights.embedding.data);
}

// Would catch: checkpoints of the bare decoder or without biases refused.
TEST(Opt, VariantsInTheWild) {
  EXPECT_EQ(row(ModelFolder(kConfig, tensors("decoder.")).load().embedding, 0)[0], 100);
  const ModelFolder plain(kConfig, tensors("model.decoder.", false));
  const ModelWeights weights =
      plain.load_with("\"pad_token_id\": 1", "\"enable_bias\": false, \"pad_token_id\": 1");
  EXPECT_TRUE(weights.layers[0].up_bias.empty());
  EXPECT_FALSE(weights.layers[0].attention_norm_shift.empty());
}

// Would catch: OPT-350M, whose layers are built otherwise, run as if it were one of its sisters.
TEST(Opt, RefusesConfigsByName) {
  const ModelFolder folder(kConfig, tensors());
  EXPECT_EQ(
      folder.refusal_with("\"do_layer_norm_before\": true", "\"do_layer_norm_before\": false"),
      "config.json:3: /do_layer_norm_before: false is not supported; expected true");
  EXPECT_EQ(folder.refusal_with("\"word_embed_proj_dim\": 2", "\"word_embed_proj_dim\": 1"),
            "config.json:3: /word_embed_proj_dim: embeddings of another width than the layers are "
            "not supported; expected 2, found 1");
  EXPECT_THAT(folder.refusal_with("\"_remove_final_layer_norm\": false",
                                  "\"_remove_final_layer_norm\": true"),
              HasSubstr("/_remove_final_layer_norm: true is not supported"));
  EXPECT_THAT(
      folder.refusal_with("\"max_position_embeddings\": 4", "\"max_position_embeddings\": 6"),
      HasSubstr("embed_positions.weight\": expected the shape [8, 2], found [6, 2]"));
}

}  // namespace
}  // namespace tokenyard
