#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/model_config.hpp"
#include "engine/weights/tensor_view.hpp"

namespace tokenyard {

/// One layer's tensors under the same names for every architecture. A matrix has as many rows as
/// outputs and as many columns as inputs: y = W x + b. Biases and shifts are there exactly where
/// the config says so, each as one row.
struct LayerWeights {
  TensorView attention_norm_scale, attention_norm_shift;
  TensorView query, query_bias;    ///< [heads x head_dim, hidden]
  TensorView key, key_bias;        ///< [kv_heads x head_dim, hidden]
  TensorView value, value_bias;    ///< [kv_heads x head_dim, hidden]
  TensorView output, output_bias;  ///< [hidden, heads x head_dim]
  TensorView feed_forward_norm_scale, feed_forward_norm_shift;
  TensorView gate, gate_bias;  ///< [feed_forward, hidden]; empty unless gated
  TensorView up, up_bias;      ///< [feed_forward, hidden]
  TensorView down, down_bias;  ///< [hidden, feed_forward]
};

/// A model as it lies in its checkpoint: what it is, and views of its tensors. Views stay valid as
/// long as any copy of the object lives, which keeps the mapped files or the drawn weights alive.
/// Read-only after loading, so safe to share between threads.
struct ModelWeights {
  ModelConfig config;
  /// Of the layers' matrices; f32 where they are not all alike.
  ElementType stored = ElementType::f32;
  TensorView embedding;           ///< [vocabulary, hidden]
  TensorView position_embedding;  ///< [rows, hidden]; empty unless learned
  TensorView embedding_norm_scale, embedding_norm_shift;
  std::vector<LayerWeights> layers;
  TensorView final_norm_scale, final_norm_shift;
  TensorView head;  ///< [vocabulary, hidden]; the embedding itself where tied
  std::shared_ptr<const void> memory;
};

/// Loads what `--weights` names: a Hugging Face folder (config.json with one or several
/// safetensors), a llama2.c folder or file, or `random:NAME[,seed=N][,dtype=TYPE]` (see
/// random_weights.hpp). Files are mapped, not read: loading takes no memory of their size.
/// Everything but the numbers themselves is validated before it returns: what is missing, too
/// short, of a wrong shape or of an architecture that is not known is an `InputError` that names
/// file and tensor.
ModelWeights load_weights(const std::string& source);

}  // namespace tokenyard
