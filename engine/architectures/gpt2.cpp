// GPT-2 (Radford et al., Language Models are Unsupervised Multitask Learners, 2019).

#include <fmt/format.h>

#include <string>

#include "engine/architectures/architecture.hpp"
#include "engine/architectures/config_file.hpp"

namespace tokenyard {

ModelConfig read_gpt2_config(const JsonObject& file) {
  ModelConfig config;
  config.architecture = "gpt2";
  config.layers = read_size(file, {"n_layer", "num_hidden_layers"});
  config.hidden = read_size(file, {"n_embd", "hidden_size"});
  config.heads = read_size(file, {"n_head", "num_attention_heads"});
  config.kv_heads = config.heads;
  config.head_dim = equal_head_dim(file, "n_head", config);
  check_heads(file, "n_head", config);
  config.feed_forward = read_feed_forward(file, "n_inner", config);
  config.vocabulary = read_size(file, {"vocab_size"});
  config.context = read_size(file, {"n_positions", "max_position_embeddings"}, 1024);
  config.norm_epsilon = read_epsilon(file, "layer_norm_epsilon", 1e-5);
  config.norm_shift = true;
  config.attention_bias = true;
  config.feed_forward_bias = true;
  config.positions = PositionKind::learned;
  config.activation = read_activation(file, "activation_function", "gelu_new");
  refuse_gate(file, "activation_function", config);
  config.tied_head = read_flag(file, "tie_word_embeddings", true);
  require_flag(file, "scale_attn_weights", true);
  require_flag(file, "scale_attn_by_inverse_layer_idx", false);
  require_flag(file, "add_cross_attention", false);
  read_special_tokens(file, 50256, 50256, config);
  return config;
}

/// Its matrices are stored the other way round, as those of a convolution over one position; query,
/// key and value are the thirds of one.
void map_gpt2_tensors(CheckpointReader& in, ModelWeights& weights) {
  const ModelConfig& config = weights.config;
  const std::int64_t hidden = config.hidden;
  const std::int64_t wide = config.feed_forward;
  in.find_prefix({"transformer.", ""}, "wte.weight");
  weights.embedding = in.matrix("wte.weight", config.vocabulary, hidden);
  weights.position_embedding = in.matrix("wpe.weight", config.context, hidden);
  for (std::int32_t i = 0; i < config.layers; ++i) {
    LayerWeights& to = weights.layers.emplace_back();
    const std::string at = fmt::format("h.{}.", i);
    in.norm(at + "ln_1", config, to.attention_norm_scale, to.attention_norm_shift);
    const TensorView fused = in.transposed(at + "attn.c_attn.weight", 3 * hidden, hidden);
    to.query = fused.slice_rows(0, hidden);
    to.key = fused.slice_rows(hidden, hidden);
    to.value = fused.slice_rows(2 * hidden, hidden);
    const TensorView bias = in.vector(at + "attn.c_attn.bias", 3 * hidden);
    to.query_bias = bias.slice_columns(0, hidden);
    to.key_bias = bias.slice_columns(hidden, hidden);
    to.value_bias = bias.slice_columns(2 * hidden, hidden);
    to.output = in.transposed(at + "attn.c_proj.weight", hidden, hidden);
    to.output_bias = in.vector(at + "attn.c_proj.bias", hidden);
    in.norm(at + "ln_2", config, to.feed_forward_norm_scale, to.feed_forward_norm_shift);
    to.up = in.transposed(at + "mlp.c_fc.weight", wide, hidden);
    to.up_bias = in.vector(at + "mlp.c_fc.bias", wide);
    to.down = in.transposed(at + "mlp.c_proj.weight", hidden, wide);
    to.down_bias = in.vector(at + "mlp.c_proj.bias", hidden);
  }
  in.norm("ln_f", config, weights.final_norm_scale, weights.final_norm_shift);
  in.head(config, weights.head);
  in.refuse_others({".attn.bias", ".attn.masked_bias"});
}

}  // namespace tokenyard
