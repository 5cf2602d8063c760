#pragma once

#include <string>

#include "engine/weights/model_weights.hpp"

namespace tokenyard {

/// Reads a legacy checkpoint of Andrej Karpathy's llama2.c, all of f32, little-endian. Seven 32-bit
/// integers: dim, hidden_dim, n_layers, n_heads, n_kv_heads, vocab_size (negative when the output
/// layer is not the embedding), seq_len. Then, each for all layers: embedding, attention norms,
/// query, key, value, output, feed-forward norms, gate (w1), down (w2), up (w3); final norm; two
/// tables of seq_len x head_dim / 2 for rotations, which are not needed; the output layer, if it
/// has its own. Rotations take neighbours as pairs, norms have the epsilon 1e-5, and 1 (which parts
/// the stories it was trained on) and 2 end an output.
///
/// In a folder one .bin is the model and any other must be a tokenizer; which is which is told by
/// what is in them. Throws `InputError`.
ModelWeights load_llama2c(const std::string& path);

}  // namespace tokenyard
