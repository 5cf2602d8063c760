#pragma once

#include <string_view>

#include "engine/weights/model_weights.hpp"
#include "engine/weights/random_shapes.hpp"

namespace tokenyard {

/// Draws a model: `NAME[,seed=N][,dtype=f32|bf16]` with a name of random_shapes.hpp; the seed is 1
/// unless given. The same text gives the same bits on every machine and with any number of threads.
///
/// Values are uniform (65536 levels, drawn by SplitMix64 from a stream for each piece of each
/// tensor), with these deviations: matrices and the head 1 / sqrt(inputs), so that sizes neither
/// fade nor explode from layer to layer; embeddings the same as a head; biases and shifts 0.02;
/// scales 0.1 around 1. Two scales have another mean, so that what is said depends on the context
/// and not on the last token alone: an embedding norm 0.1, which keeps the embedding small beside
/// what the layers add, and the final norm 3, which gives logits the spread of a trained model's.
/// With dtype bf16 these very values are rounded to the nearest, ties to even.
///
/// All tensors lie in one block of memory in the order of the forward pass, each aligned to 64
/// bytes. Throws `InputError` for an unknown name or setting, and when there is no such memory.
ModelWeights random_weights(std::string_view what);

/// What such a model is, without its weights.
ModelConfig random_config(const RandomShape& shape);

}  // namespace tokenyard
