#pragma once
// The decoder that the engine is measured by: one token of one sequence at a time, in double
// precision, in the plainest form.

#include <cstdint>
#include <span>
#include <vector>

#include "engine/weights/model_weights.hpp"
#include "tests/reference/formulas.hpp"

namespace tokenyard::test {

/// Where a lower-precision tier of the engine rounds to bf16; all else stays in double.
struct Bf16Rounding {
  bool weights = false;      ///< the matrices of all products (not embeddings, biases and norms)
  bool activations = false;  ///< the vector that such a matrix multiplies
  bool kv = false;           ///< keys (after rotation) and values, as the cache keeps them
};

/// What a sequence has seen: for each layer a key and a value a position, all KV heads in one
/// vector. A value type, so that a sequence forks by a copy.
struct ReferenceHistory {
  struct Layer {
    std::vector<Vector> keys;
    std::vector<Vector> values;
  };
  std::vector<Layer> layers;
  std::int64_t length = 0;
};

/// A greedy continuation.
struct GreedyTokens {
  std::vector<Token> tokens;
  Vector gaps;  ///< at each step, how far the best logit lies above the second
};

/// A model with its own copy of all numbers. Immutable, so safe to share between threads.
class ReferenceModel {
 public:
  explicit ReferenceModel(const ModelWeights& weights, Bf16Rounding rounding = {});

  const ModelConfig& config() const { return config_; }

  ReferenceHistory begin() const;

  /// Appends `token` to the sequence; returns the logits of what follows it, one a token of the
  /// vocabulary. Past the context of learned positions: std::out_of_range.
  Vector step(Token token, ReferenceHistory& history) const;

  /// The logits after each token of a sequence.
  std::vector<Vector> logits(std::span<const Token> tokens) const;

  /// `steps` tokens after `prompt` (not empty), each the one of the greatest logit, among equal
  /// ones the smallest. End tokens do not end it.
  GreedyTokens greedy(std::span<const Token> prompt, std::size_t steps) const;

 private:
  struct Layer {
    Norm attention_norm, feed_forward_norm;
    Linear query, key, value, output, gate, up, down;
  };

  Linear read_linear(const TensorView& matrix, const TensorView& bias) const;
  Vector norm(const Norm& norm, const Vector& x) const;
  Vector multiply(const Linear& linear, Vector x) const;
  Vector embed(Token token, std::int64_t position) const;
  Vector attention(const Layer& layer, const Vector& x, ReferenceHistory::Layer& history) const;
  Vector attend(std::span<const double> query, std::int64_t head,
                const ReferenceHistory::Layer& history) const;
  Vector feed_forward(const Layer& layer, const Vector& x) const;

  ModelConfig config_;
  Bf16Rounding rounding_;
  std::vector<Vector> embedding_, position_embedding_;  ///< by row
  Norm embedding_norm_, final_norm_;
  std::vector<Layer> layers_;
  Linear head_;
};

}  // namespace tokenyard::test
