#pragma once

#include <string_view>

#include "engine/weights/model_weights.hpp"
#include "engine/weights/random_shapes.hpp"

namespace tokenyard {

/// Draws a model: `NAME[,seed=N][,dtype=f32|bf16]` with a name of random_shapes.hpp; the seed is 1
/// unless given. The same text gives the same bits on every machine and with any number of threads.
///
/// Values are uniform (65536 levels: 16 bits each of what SplitMix64 gives, lowest first, from the
/// stream "weights/TENSOR" of which each 2^18 elements have a key of their own). Their deviations
/// let a greedy output move about instead of sticking to a token, and depend on the whole context:
/// 1 for embeddings, positions and an output layer of its own; 1 / sqrt(inputs) for a layer's
/// matrices, so that sizes neither fade nor explode, twice that for query and key, so that
/// attention prefers some places to others, and 1 / sqrt(layers) of it for the two whose results
/// are added to what flows past, so that these do not bury the embedding; 0.1 for biases, for
/// shifts and, around 1, for the scales of norms. The final norm's scale has the mean 0 and the
/// deviation 3 / sqrt(hidden): logits then spread as a trained model's do, and an output layer that
/// is the embedding does not simply repeat the last token. With dtype bf16 these very values are
/// rounded to the nearest, ties to even.
///
/// All tensors lie in one block of memory in the order of the forward pass, each aligned to 64
/// bytes. Throws `InputError` for an unknown name or setting, and when there is no such memory.
ModelWeights random_weights(std::string_view what);

/// What such a model is, without its weights.
ModelConfig random_config(const RandomShape& shape);

}  // namespace tokenyard
