// OPT (Zhang et al., OPT: Open Pre-trained Transformer Language Models, arXiv 2205.01068).

#include <fmt/format.h>

#include <string>

#include "engine/architectures/architecture.hpp"
#include "engine/architectures/config_file.hpp"

namespace tokenyard {

ModelConfig read_opt_config(const JsonObject& file) {
  ModelConfig config;
  config.architecture = "opt";
  config.layers = read_size(file, {"num_hidden_layers"});
  config.hidden = read_size(file, {"hidden_size", "d_model"});
  config.heads = read_size(file, {"num_attention_heads"});
  config.kv_heads = config.heads;
  config.head_dim = equal_head_dim(file, "num_attention_heads", config);
  check_heads(file, "num_attention_heads", config);
  config.feed_forward = read_size(file, {"ffn_dim"});
  config.vocabulary = read_size(file, {"vocab_size"});
  config.context = read_size(file, {"max_position_embeddings"}, 2048);
  config.norm_shift = true;
  config.positions = PositionKind::learned;
  config.position_offset = 2;  // rows 0 and 1 were of padding
  config.activation = read_activation(file, "activation_function", "relu");
  refuse_gate(file, "activation_function", config);
  config.attention_bias = config.feed_forward_bias = read_flag(file, "enable_bias", true);
  config.tied_head = read_flag(file, "tie_word_embeddings", true);
  // OPT-350M alone has norms after the layers and a narrower embedding.
  require_flag(file, "do_layer_norm_before", true);
  const std::int32_t width = read_size(file, {"word_embed_proj_dim"}, config.hidden);
  if (width != config.hidden) {
    file.refuse("word_embed_proj_dim",
                fmt::format("embeddings of another width than the layers are not supported; "
                            "expected {}, found {}",
                            config.hidden, width));
  }
  require_flag(file, "layer_norm_elementwise_affine", true);
  require_flag(file, "_remove_final_layer_norm", false);
  read_special_tokens(file, 2, 2, config);
  return config;
}

void map_opt_tensors(CheckpointReader& in, ModelWeights& weights) {
  const ModelConfig& config = weights.config;
  const std::int64_t hidden = config.hidden;
  const std::int64_t wide = config.feed_forward;
  const bool bias = config.attention_bias;
  in.find_prefix({"model.decoder.", "decoder.", ""}, "embed_tokens.weight");
  weights.embedding = in.matrix("embed_tokens.weight", config.vocabulary, hidden);
  weights.position_embedding = in.matrix(
      "embed_positions.weight", std::int64_t{config.context} + config.position_offset, hidden);
  for (std::int32_t i = 0; i < config.layers; ++i) {
    LayerWeights& to = weights.layers.emplace_back();
    const std::string at = fmt::format("layers.{}.", i);
    in.norm(at + "self_attn_layer_norm", config, to.attention_norm_scale, to.attention_norm_shift);
    in.linear(at + "self_attn.q_proj", hidden, hidden, bias, to.query, to.query_bias);
    in.linear(at + "self_attn.k_proj", hidden, hidden, bias, to.key, to.key_bias);
    in.linear(at + "self_attn.v_proj", hidden, hidden, bias, to.value, to.value_bias);
    in.linear(at + "self_attn.out_proj", hidden, hidden, bias, to.output, to.output_bias);
    in.norm(at + "final_layer_norm", config, to.feed_forward_norm_scale,
            to.feed_forward_norm_shift);
    in.linear(at + "fc1", wide, hidden, bias, to.up, to.up_bias);
    in.linear(at + "fc2", hidden, wide, bias, to.down, to.down_bias);
  }
  in.norm("final_layer_norm", config, weights.final_norm_scale, weights.final_norm_shift);
  in.head(config, weights.head);
  in.refuse_others({});
}

}  // namespace tokenyard
