#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/weights/model_weights.hpp"

namespace tokenyard {

/// What a tensor does in the model.
enum class TensorRole : std::uint8_t {
  embedding,
  positions,
  head,
  score_matrix,     ///< of a layer: query or key
  inner_matrix,     ///< of a layer: any other
  residual_matrix,  ///< of a layer, and its result is added to what flows past the layer
  bias,
  scale,  ///< of a norm
  shift,
  final_scale,  ///< of the norm before the head
};

/// A place of `ModelWeights` that a config asks to be filled, and the shape it must have there. The
/// view stays where it is as long as the weights' layers are not moved.
struct TensorSlot {
  std::string name;  ///< "layers.3.query_bias": ours, the same for all architectures
  TensorRole role = TensorRole::embedding;
  TensorView* view = nullptr;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
};

/// Every tensor that `weights.config` asks for, in the order of the forward pass; sizes the layers.
/// A tied head is none of them: it is the embedding.
std::vector<TensorSlot> tensor_slots(ModelWeights& weights);

/// To be called once all slots are filled: ties the head, notes the type of the matrices, and
/// breaks an invariant if a tensor is missing or of another shape than the config says, which
/// readers of checkpoints must have refused before.
void finish_weights(ModelWeights& weights);

}  // namespace tokenyard
