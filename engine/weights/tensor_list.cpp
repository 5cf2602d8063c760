#include "engine/weights/tensor_list.hpp"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "sim/kernel/invariant.hpp"

namespace tokenyard {
namespace {

/// Collects slots; `prefix` is of the layer at hand.
class SlotList {
 public:
  explicit SlotList(const ModelConfig& config) : config_(config) {}

  void enter_layer(std::size_t layer) { prefix_ = fmt::format("layers.{}.", layer); }
  void leave_layers() { prefix_.clear(); }

  void tensor(std::string_view name, TensorRole role, TensorView& view, std::int64_t rows,
              std::int64_t columns) {
    slots_.push_back({fmt::format("{}{}", prefix_, name), role, &view, rows, columns});
  }
  void norm(std::string_view name, TensorView& scale, TensorView& shift,
            TensorRole role = TensorRole::scale) {
    tensor(fmt::format("{}_scale", name), role, scale, 1, config_.hidden);
    if (!config_.norm_shift) return;
    tensor(fmt::format("{}_shift", name), TensorRole::shift, shift, 1, config_.hidden);
  }
  void linear(std::string_view name, TensorView& matrix, TensorView& bias, bool has_bias,
              std::int64_t rows, std::int64_t columns, TensorRole role = TensorRole::inner_matrix) {
    tensor(name, role, matrix, rows, columns);
    if (has_bias) tensor(fmt::format("{}_bias", name), TensorRole::bias, bias, 1, rows);
  }

  std::vector<TensorSlot> take() { return std::move(slots_); }

 private:
  const ModelConfig& config_;
  std::string prefix_;
  std::vector<TensorSlot> slots_;
};

void list_layer(SlotList& list, const ModelConfig& config, LayerWeights& layer) {
  const std::int64_t hidden = config.hidden;
  const std::int64_t queries = std::int64_t{config.heads} * config.head_dim;
  const std::int64_t keys = std::int64_t{config.kv_heads} * config.head_dim;
  const std::int64_t wide = config.feed_forward;
  const bool bias = config.attention_bias;
  const bool wide_bias = config.feed_forward_bias;
  list.norm("attention_norm", layer.attention_norm_scale, layer.attention_norm_shift);
  list.linear("query", layer.query, layer.query_bias, bias, queries, hidden,
              TensorRole::score_matrix);
  list.linear("key", layer.key, layer.key_bias, bias, keys, hidden, TensorRole::score_matrix);
  list.linear("value", layer.value, layer.value_bias, bias, keys, hidden);
  list.linear("output", layer.output, layer.output_bias, bias, hidden, queries,
              TensorRole::residual_matrix);
  list.norm("feed_forward_norm", layer.feed_forward_norm_scale, layer.feed_forward_norm_shift);
  if (config.gated) {
    list.linear("gate", layer.gate, layer.gate_bias, wide_bias, wide, hidden);
  }
  list.linear("up", layer.up, layer.up_bias, wide_bias, wide, hidden);
  list.linear("down", layer.down, layer.down_bias, wide_bias, hidden, wide,
              TensorRole::residual_matrix);
}

bool is_layer_matrix(TensorRole role) {
  return role == TensorRole::score_matrix || role == TensorRole::inner_matrix ||
         role == TensorRole::residual_matrix;
}

}  // namespace

std::vector<TensorSlot> tensor_slots(ModelWeights& weights) {
  const ModelConfig& config = weights.config;
  weights.layers.resize(static_cast<std::size_t>(config.layers));
  SlotList list(config);
  list.tensor("embedding", TensorRole::embedding, weights.embedding, config.vocabulary,
              config.hidden);
  if (config.positions == PositionKind::learned) {
    list.tensor("position_embedding", TensorRole::positions, weights.position_embedding,
                std::int64_t{config.context} + config.position_offset, config.hidden);
  }
  if (config.embedding_norm) {
    list.norm("embedding_norm", weights.embedding_norm_scale, weights.embedding_norm_shift);
  }
  for (std::size_t i = 0; i < weights.layers.size(); ++i) {
    list.enter_layer(i);
    list_layer(list, config, weights.layers[i]);
  }
  list.leave_layers();
  list.norm("final_norm", weights.final_norm_scale, weights.final_norm_shift,
            TensorRole::final_scale);
  if (!config.tied_head) {
    list.tensor("head", TensorRole::head, weights.head, config.vocabulary, config.hidden);
  }
  return list.take();
}

void finish_weights(ModelWeights& weights) {
  bool alike = true;
  weights.stored = ElementType::f32;
  const TensorView* first = nullptr;
  for (const TensorSlot& slot : tensor_slots(weights)) {
    const TensorView& view = *slot.view;
    invariant(!view.empty() && view.rows == slot.rows && view.columns == slot.columns,
              "a loaded model has every tensor in its shape", "{}: [{}, {}] instead of [{}, {}]",
              slot.name, view.rows, view.columns, slot.rows, slot.columns);
    if (!is_layer_matrix(slot.role)) continue;
    if (first == nullptr) first = &view;
    alike = alike && view.type == first->type;
  }
  if (alike && first != nullptr) weights.stored = first->type;
  if (weights.config.tied_head) weights.head = weights.embedding;
}

}  // namespace tokenyard
