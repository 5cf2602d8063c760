#include "engine/layers/packed_layer.hpp"

#include <algorithm>
#include <initializer_list>

namespace tokenyard {
namespace {

/// A matrix and its bias, which may be empty.
struct Biased {
  TensorView matrix;
  TensorView bias;
};

/// The biases one after another, zeros where a part has none; empty if no part has one.
std::vector<float> stack_biases(std::initializer_list<Biased> parts) {
  const auto has_bias = [](const Biased& part) { return !part.bias.empty(); };
  std::vector<float> all;
  if (std::none_of(parts.begin(), parts.end(), has_bias)) return all;
  for (const Biased& part : parts) {
    std::vector<float> bias = read_vector(part.bias);
    bias.resize(static_cast<std::size_t>(part.matrix.rows));
    all.insert(all.end(), bias.begin(), bias.end());
  }
  return all;
}

}  // namespace

std::size_t PackedLayer::bytes() const {
  return query_key_value.bytes() + output.bytes() + up.bytes() + down.bytes();
}

std::vector<float> read_vector(const TensorView& view) {
  std::vector<float> values(static_cast<std::size_t>(view.columns));
  if (!view.empty()) view.read_row(0, values);
  return values;
}

NormVectors read_norm(const TensorView& scale, const TensorView& shift) {
  return {read_vector(scale), read_vector(shift)};
}

PackedLayer pack_layer(const LayerWeights& weights, GemmKind kind, Workers& workers) {
  PackedLayer layer;
  layer.attention_norm = read_norm(weights.attention_norm_scale, weights.attention_norm_shift);
  const TensorView attention[] = {weights.query, weights.key, weights.value};
  layer.query_key_value = PackedMatrix(attention, kind, workers);
  layer.query_key_value_bias = stack_biases({{weights.query, weights.query_bias},
                                             {weights.key, weights.key_bias},
                                             {weights.value, weights.value_bias}});
  layer.output = PackedMatrix(weights.output, kind, workers);
  layer.output_bias = read_vector(weights.output_bias);
  layer.feed_forward_norm =
      read_norm(weights.feed_forward_norm_scale, weights.feed_forward_norm_shift);
  if (weights.gate.empty()) {
    layer.up = PackedMatrix(weights.up, kind, workers);
    layer.up_bias = read_vector(weights.up_bias);
  } else {
    const TensorView gated[] = {weights.gate, weights.up};
    layer.up = PackedMatrix(gated, kind, workers);
    layer.up_bias =
        stack_biases({{weights.gate, weights.gate_bias}, {weights.up, weights.up_bias}});
  }
  layer.down = PackedMatrix(weights.down, kind, workers);
  layer.down_bias = read_vector(weights.down_bias);
  return layer;
}

}  // namespace tokenyard
