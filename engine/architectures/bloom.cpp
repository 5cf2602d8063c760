// BLOOM (BigScience, BLOOM: A 176B-Parameter Open-Access Multilingual Language Model, arXiv
// 2211.05100).

#include <fmt/format.h>

#include <string>

#include "engine/architectures/architecture.hpp"
#include "engine/architectures/config_file.hpp"
#include "engine/architectures/positions.hpp"

namespace tokenyard {

ModelConfig read_bloom_config(const JsonObject& file) {
  ModelConfig config;
  config.architecture = "bloom";
  config.layers = read_size(file, {"n_layer", "num_hidden_layers"});
  config.hidden = read_size(file, {"n_embed", "hidden_size"});
  config.heads = read_size(file, {"n_head", "num_attention_heads"});
  config.kv_heads = config.heads;
  config.head_dim = equal_head_dim(file, "n_head", config);
  check_heads(file, "n_head", config);
  config.feed_forward = read_feed_forward(file, "n_inner", config);
  config.vocabulary = read_size(file, {"vocab_size"});
  config.context = read_size(file, {"seq_length"}, 2048);
  config.norm_epsilon = read_epsilon(file, "layer_norm_epsilon", 1e-5);
  config.norm_shift = true;
  config.embedding_norm = true;
  config.attention_bias = true;
  config.feed_forward_bias = true;
  config.positions = PositionKind::alibi;
  config.alibi_slopes = alibi_slopes(config.heads);
  config.activation = Activation::gelu_tanh;
  config.tied_head = read_flag(file, "tie_word_embeddings", true);
  require_flag(file, "apply_residual_connection_post_layernorm", false);
  read_special_tokens(file, 1, 2, config);
  return config;
}

/// Query, key and value are fused head by head, their biases too.
void map_bloom_tensors(CheckpointReader& in, ModelWeights& weights) {
  const ModelConfig& config = weights.config;
  const std::int64_t hidden = config.hidden;
  const std::int64_t wide = config.feed_forward;
  in.find_prefix({"transformer.", ""}, "word_embeddings.weight");
  weights.embedding = in.matrix("word_embeddings.weight", config.vocabulary, hidden);
  in.norm("word_embeddings_layernorm", config, weights.embedding_norm_scale,
          weights.embedding_norm_shift);
  for (std::int32_t i = 0; i < config.layers; ++i) {
    LayerWeights& to = weights.layers.emplace_back();
    const std::string at = fmt::format("h.{}.", i);
    in.norm(at + "input_layernorm", config, to.attention_norm_scale, to.attention_norm_shift);
    const std::string fused = at + "self_attention.query_key_value";
    const TensorView matrix = in.matrix(fused + ".weight", 3 * hidden, hidden);
    to.query = matrix.head_part(0, 3, config.head_dim);
    to.key = matrix.head_part(1, 3, config.head_dim);
    to.value = matrix.head_part(2, 3, config.head_dim);
    const auto bias = [&](std::int64_t part) {
      return in.vector_head_part(fused + ".bias", 3 * hidden, part, 3, config.head_dim);
    };
    to.query_bias = bias(0);
    to.key_bias = bias(1);
    to.value_bias = bias(2);
    in.linear(at + "self_attention.dense", hidden, hidden, true, to.output, to.output_bias);
    in.norm(at + "post_attention_layernorm", config, to.feed_forward_norm_scale,
            to.feed_forward_norm_shift);
    in.linear(at + "mlp.dense_h_to_4h", wide, hidden, true, to.up, to.up_bias);
    in.linear(at + "mlp.dense_4h_to_h", hidden, wide, true, to.down, to.down_bias);
  }
  in.norm("ln_f", config, weights.final_norm_scale, weights.final_norm_shift);
  in.head(config, weights.head);
  in.refuse_others({});
}

}  // namespace tokenyard
