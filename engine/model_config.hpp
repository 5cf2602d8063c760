#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tokenyard {

/// A token of the model's vocabulary.
using Token = std::int32_t;

enum class NormKind : std::uint8_t {
  layer,  ///< LayerNorm with scale and shift (Ba et al., arXiv 1607.06450)
  rms,    ///< RMSNorm, scale only (Zhang and Sennrich, arXiv 1910.07467)
};

enum class PositionKind : std::uint8_t {
  learned,  ///< a row for each position is added to the embedding
  rope,     ///< rotary embedding of queries and keys (Su et al., arXiv 2104.09864)
  alibi,    ///< a bias on scores, linear in the distance (Press et al., arXiv 2108.12409)
};

/// Which two elements of a head a rotation takes together.
enum class RopePairs : std::uint8_t {
  halves,    ///< i and i + head_dim / 2 (Hugging Face's layout)
  adjacent,  ///< 2i and 2i + 1 (the paper's and llama2.c's layout)
};

enum class Activation : std::uint8_t {
  relu,
  gelu,       ///< x times the normal distribution function, by erf
  gelu_tanh,  ///< its tanh approximation (Hendrycks and Gimpel, arXiv 1606.08415)
  silu,       ///< only in a gated layer: SwiGLU (Shazeer, arXiv 2002.05202)
};

/// What readers of checkpoints let pass at most: any size (so that products of two, and their
/// bytes, fit 64 bits), the number of heads, and the elements of one (which attention keeps in its
/// caches).
inline constexpr std::int32_t kModelSizeMost = 1 << 24;
inline constexpr std::int32_t kModelHeadsMost = 1 << 16;
inline constexpr std::int32_t kModelHeadDimMost = 256;

/// The shape and the formulas of a decoder-only Transformer with pre-normalised layers. It says
/// everything about a model but its weights, so that one forward pass serves all architectures. A
/// value type.
struct ModelConfig {
  std::string architecture;  ///< "llama", "gpt2", "opt", "bloom" or "mpt"
  std::int32_t layers = 0;
  std::int32_t hidden = 0;
  std::int32_t heads = 0;
  std::int32_t kv_heads = 0;  ///< divides `heads`
  std::int32_t head_dim = 0;
  std::int32_t feed_forward = 0;
  std::int32_t vocabulary = 0;
  std::int32_t context = 0;  ///< most tokens of prompt and output together

  NormKind norm = NormKind::layer;
  float norm_epsilon = 1e-5F;
  bool norm_shift = false;      ///< norms add a shift after their scale
  bool embedding_norm = false;  ///< a norm right after the embedding (BLOOM)
  bool attention_bias = false;  ///< of the query, key, value and output matrices
  bool feed_forward_bias = false;

  PositionKind positions = PositionKind::learned;
  std::int32_t position_offset = 0;  ///< first row used of the learned positions (OPT: 2)
  RopePairs rope_pairs = RopePairs::halves;
  /// Radians a token for each of the head_dim / 2 pairs, after any scaling of the checkpoint's
  /// (Llama 3.1); empty without rope.
  std::vector<float> rope_frequencies;
  /// One a query head; empty without ALiBi. The bias is -slope x (query position - key position).
  std::vector<float> alibi_slopes;

  Activation activation = Activation::gelu;
  bool gated = false;     ///< down(act(gate(x)) * up(x)) instead of down(act(up(x)))
  float qkv_clip = 0.0F;  ///< queries, keys and values are cut to ± this (MPT); 0 = not

  bool tied_head = false;  ///< the output layer is the embedding
  Token begin_token = -1;  ///< -1 = none
  std::vector<Token> end_tokens;
};

}  // namespace tokenyard
