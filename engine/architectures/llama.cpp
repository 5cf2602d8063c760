// Llama (Touvron et al., arXiv 2302.13971 and 2307.09288; Dubey et al., arXiv 2407.21783), and
// those that differ from it by name only.

#include <fmt/format.h>

#include <string>

#include "engine/architectures/architecture.hpp"
#include "engine/architectures/config_file.hpp"
#include "engine/architectures/positions.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {
namespace {

constexpr double kBaseMost = 1e12;

Llama3Scaling read_llama3_scaling(const JsonObject& rope) {
  Llama3Scaling scaling;
  scaling.factor = rope.number("factor", 1.0, 1e6);
  scaling.low_frequency = rope.number("low_freq_factor", 0.0, 1e6);
  scaling.high_frequency = rope.number("high_freq_factor", 0.0, 1e6);
  scaling.original_context = read_size(rope, {"original_max_position_embeddings"});
  if (scaling.high_frequency <= scaling.low_frequency) {
    rope.refuse("high_freq_factor", "expected more than low_freq_factor");
  }
  return scaling;
}

void require_whole_heads(const JsonObject& file) {
  if (read_number(file, "partial_rotary_factor", 0.0, 1.0, 1.0) == 1.0) return;
  file.refuse("partial_rotary_factor", "only whole heads are rotated; expected 1");
}

/// Older files have `rope_theta` and `rope_scaling`, newer ones both in `rope_parameters`.
std::vector<float> read_rope(const JsonObject& file, std::int32_t head_dim) {
  double base = read_number(file, "rope_theta", 1.0, kBaseMost, 10000.0);
  require_whole_heads(file);
  const std::string_view key = given_key(file, {"rope_parameters", "rope_scaling"});
  if (key.empty()) return rope_frequencies(head_dim, base);
  const JsonObject rope = file.object(key);
  base = read_number(rope, "rope_theta", 1.0, kBaseMost, base);
  require_whole_heads(rope);
  const std::string_view type_key =
      given(rope, "rope_type") || !given(rope, "type") ? "rope_type" : "type";
  const bool may_be_left_out = key == "rope_parameters";
  const std::string type =
      may_be_left_out && !given(rope, type_key) ? "default" : rope.string(type_key);
  if (type == "default") return rope_frequencies(head_dim, base);
  if (type == "llama3") return rope_frequencies(head_dim, base, read_llama3_scaling(rope));
  rope.refuse(type_key, fmt::format("scaling {} is not supported; expected \"default\" or "
                                    "\"llama3\"",
                                    printable(rope.raw(type_key))));
}

void read_attention(const JsonObject& file, ModelConfig& config) {
  config.heads = read_size(file, {"num_attention_heads"});
  config.kv_heads = read_size(file, {"num_key_value_heads"}, config.heads);
  if (config.heads % config.kv_heads != 0) {
    file.refuse("num_key_value_heads", fmt::format("expected a divisor of the {} heads, found {}",
                                                   config.heads, config.kv_heads));
  }
  const std::string_view key = given_key(file, {"head_dim", "num_attention_heads"});
  config.head_dim = key == "head_dim" ? read_size(file, {key}) : equal_head_dim(file, key, config);
  check_heads(file, key, config);
  if (config.head_dim % 2 != 0) {
    file.refuse(key, fmt::format("expected heads of an even number of elements, found {}",
                                 config.head_dim));
  }
  config.positions = PositionKind::rope;
  config.rope_frequencies = read_rope(file, config.head_dim);
  config.attention_bias = read_flag(file, "attention_bias", false);
}

}  // namespace

ModelConfig read_llama_config(const JsonObject& file) {
  ModelConfig config;
  config.architecture = "llama";
  config.layers = read_size(file, {"num_hidden_layers"});
  config.hidden = read_size(file, {"hidden_size"});
  config.feed_forward = read_size(file, {"intermediate_size"});
  config.vocabulary = read_size(file, {"vocab_size"});
  config.context = read_size(file, {"max_position_embeddings"}, 2048);
  read_attention(file, config);
  config.norm = NormKind::rms;
  config.norm_epsilon = read_epsilon(file, "rms_norm_eps", 1e-6);
  config.activation = read_activation(file, "hidden_act", "silu");
  config.gated = true;
  config.feed_forward_bias = read_flag(file, "mlp_bias", false);
  config.tied_head = read_flag(file, "tie_word_embeddings", false);
  read_special_tokens(file, 1, 2, config);
  return config;
}

ModelConfig read_mistral_config(const JsonObject& file) {
  // Left out, the window is the 4096 of Mistral 7B v0.1; null means that there is none.
  if (!file.has("sliding_window") || given(file, "sliding_window")) {
    const std::int32_t window = read_size(file, {"sliding_window"}, 4096);
    const std::int32_t context = read_size(file, {"max_position_embeddings"});
    if (window < context) {
      file.refuse("sliding_window", fmt::format("attention within a window of {} tokens is not "
                                                "supported; expected null",
                                                window));
    }
  }
  require_absent(file, "layer_types");
  return read_llama_config(file);
}

void map_llama_tensors(CheckpointReader& in, ModelWeights& weights) {
  const ModelConfig& config = weights.config;
  const std::int64_t hidden = config.hidden;
  const std::int64_t queries = std::int64_t{config.heads} * config.head_dim;
  const std::int64_t keys = std::int64_t{config.kv_heads} * config.head_dim;
  const std::int64_t wide = config.feed_forward;
  const bool bias = config.attention_bias;
  const bool wide_bias = config.feed_forward_bias;
  in.find_prefix({"model.", ""}, "embed_tokens.weight");
  weights.embedding = in.matrix("embed_tokens.weight", config.vocabulary, hidden);
  for (std::int32_t i = 0; i < config.layers; ++i) {
    LayerWeights& to = weights.layers.emplace_back();
    const std::string at = fmt::format("layers.{}.", i);
    in.norm(at + "input_layernorm", config, to.attention_norm_scale, to.attention_norm_shift);
    in.linear(at + "self_attn.q_proj", queries, hidden, bias, to.query, to.query_bias);
    in.linear(at + "self_attn.k_proj", keys, hidden, bias, to.key, to.key_bias);
    in.linear(at + "self_attn.v_proj", keys, hidden, bias, to.value, to.value_bias);
    in.linear(at + "self_attn.o_proj", hidden, queries, bias, to.output, to.output_bias);
    in.norm(at + "post_attention_layernorm", config, to.feed_forward_norm_scale,
            to.feed_forward_norm_shift);
    in.linear(at + "mlp.gate_proj", wide, hidden, wide_bias, to.gate, to.gate_bias);
    in.linear(at + "mlp.up_proj", wide, hidden, wide_bias, to.up, to.up_bias);
    in.linear(at + "mlp.down_proj", hidden, wide, wide_bias, to.down, to.down_bias);
  }
  in.norm("norm", config, weights.final_norm_scale, weights.final_norm_shift);
  in.head(config, weights.head);
  in.refuse_others({".rotary_emb.inv_freq"});
}

}  // namespace tokenyard
