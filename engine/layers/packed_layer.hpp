#pragma once

#include <cstddef>
#include <vector>

#include "engine/kernels/elementwise.hpp"
#include "engine/kernels/packed_matrix.hpp"
#include "engine/kernels/workers.hpp"
#include "engine/model_config.hpp"
#include "engine/weights/model_weights.hpp"

namespace tokenyard {

/// A norm's vectors; `shift` is empty where the model has none.
struct NormVectors {
  std::vector<float> scale;
  std::vector<float> shift;

  NormWeights with(float epsilon) const {
    return {scale.data(), shift.empty() ? nullptr : shift.data(), epsilon};
  }
};

/// One layer's weights as the forward pass reads them: matrices that multiply the same input are
/// one, and small vectors are f32. An empty bias is none. Read-only once packed.
struct PackedLayer {
  NormVectors attention_norm;
  PackedMatrix query_key_value;  ///< [(heads + 2 x kv_heads) x head_dim, hidden]
  std::vector<float> query_key_value_bias;
  PackedMatrix output;  ///< [hidden, heads x head_dim]
  std::vector<float> output_bias;
  NormVectors feed_forward_norm;
  PackedMatrix up;  ///< [feed_forward, hidden]; where gated, the gate above it
  std::vector<float> up_bias;
  PackedMatrix down;  ///< [hidden, feed_forward]
  std::vector<float> down_bias;

  /// What a step reads of the matrices.
  std::size_t bytes() const;
};

/// A vector of a checkpoint as f32; empty where there is none.
std::vector<float> read_vector(const TensorView& view);

NormVectors read_norm(const TensorView& scale, const TensorView& shift);

PackedLayer pack_layer(const LayerWeights& weights, GemmKind kind, Workers& workers);

}  // namespace tokenyard
