// MPT (MosaicML, Introducing MPT-7B, 2023; the code is published as llm-foundry).

#include <fmt/format.h>

#include <string>

#include "engine/architectures/architecture.hpp"
#include "engine/architectures/config_file.hpp"
#include "engine/architectures/positions.hpp"

namespace tokenyard {
namespace {

/// What else the published code can do is refused by name.
void read_attention(const JsonObject& file, ModelConfig& config) {
  config.positions = PositionKind::alibi;
  config.alibi_slopes = alibi_slopes(config.heads);
  if (!given(file, "attn_config")) return;
  const JsonObject attention = file.object("attn_config");
  if (given(attention, "attn_type")) attention.choice("attn_type", {"multihead_attention"});
  require_flag(attention, "alibi", true);  // without it positions are learned
  require_flag(attention, "rope", false);
  require_flag(attention, "prefix_lm", false);
  require_flag(attention, "qk_ln", false);
  require_flag(attention, "qk_gn", false);
  require_absent(attention, "softmax_scale");
  const double clip = read_number(attention, "clip_qkv", 0.0, 1e6, 0.0);
  config.qkv_clip = static_cast<float>(clip);
  const double bias_max = read_number(attention, "alibi_bias_max", 1e-3, 1e3, 8.0);
  config.alibi_slopes = alibi_slopes(config.heads, bias_max);
}

}  // namespace

ModelConfig read_mpt_config(const JsonObject& file) {
  ModelConfig config;
  config.architecture = "mpt";
  config.layers = read_size(file, {"n_layers", "num_hidden_layers"});
  config.hidden = read_size(file, {"d_model", "hidden_size"});
  config.heads = read_size(file, {"n_heads", "num_attention_heads"});
  config.kv_heads = config.heads;
  config.head_dim = equal_head_dim(file, "n_heads", config);
  check_heads(file, "n_heads", config);
  const std::int64_t ratio = read_size(file, {"expansion_ratio"}, 4);
  if (ratio * config.hidden > kModelSizeMost) file.refuse("expansion_ratio", "too large");
  config.feed_forward = static_cast<std::int32_t>(ratio * config.hidden);
  config.vocabulary = read_size(file, {"vocab_size"});
  config.context = read_size(file, {"max_seq_len"}, 2048);
  config.norm_epsilon = read_epsilon(file, "layer_norm_epsilon", 1e-5);
  if (given(file, "norm_type")) {
    file.choice("norm_type", {"low_precision_layernorm", "layernorm"});
  }
  read_attention(file, config);
  config.activation = Activation::gelu;
  config.tied_head = read_flag(file, "tie_word_embeddings", true);
  require_flag(file, "no_bias", true);
  require_absent(file, "logit_scale");
  read_special_tokens(file, -1, -1, config);
  return config;
}

/// Query, key and value are the thirds of one matrix; nothing has a bias, norms have no shift.
void map_mpt_tensors(CheckpointReader& in, ModelWeights& weights) {
  const ModelConfig& config = weights.config;
  const std::int64_t hidden = config.hidden;
  in.find_prefix({"transformer.", ""}, "wte.weight");
  weights.embedding = in.matrix("wte.weight", config.vocabulary, hidden);
  for (std::int32_t i = 0; i < config.layers; ++i) {
    LayerWeights& to = weights.layers.emplace_back();
    const std::string at = fmt::format("blocks.{}.", i);
    in.norm(at + "norm_1", config, to.attention_norm_scale, to.attention_norm_shift);
    const TensorView fused = in.matrix(at + "attn.Wqkv.weight", 3 * hidden, hidden);
    to.query = fused.slice_rows(0, hidden);
    to.key = fused.slice_rows(hidden, hidden);
    to.value = fused.slice_rows(2 * hidden, hidden);
    to.output = in.matrix(at + "attn.out_proj.weight", hidden, hidden);
    in.norm(at + "norm_2", config, to.feed_forward_norm_scale, to.feed_forward_norm_shift);
    to.up = in.matrix(at + "ffn.up_proj.weight", config.feed_forward, hidden);
    to.down = in.matrix(at + "ffn.down_proj.weight", hidden, config.feed_forward);
  }
  in.norm("norm_f", config, weights.final_norm_scale, weights.final_norm_shift);
  in.head(config, weights.head);
  in.refuse_others({});
}

}  // namespace tokenyard
