#pragma once
// A model at work in tests: steps over sequences whose blocks lie anywhere between blocks of NaN.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/transformer.hpp"
#include "sim/kernel/rng.hpp"

namespace tokenyard {

/// The small models of all architectures, as `load_weights` names them.
inline const std::vector<std::string>& tiny_models() {
  static const std::vector<std::string> all = {"llama-tiny", "gpt2-tiny", "opt-tiny", "bloom-tiny",
                                               "mpt-tiny"};
  return all;
}

inline std::vector<Token> random_tokens(Rng& rng, std::int64_t count, std::int32_t vocabulary) {
  std::vector<Token> tokens(static_cast<std::size_t>(count));
  for (Token& token : tokens) {
    token = static_cast<Token>(rng() % static_cast<std::uint64_t>(vocabulary));
  }
  return tokens;
}

/// The number of the greatest logit, among equal ones the smallest.
inline Token best_token(std::span<const float> logits) {
  return static_cast<Token>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

/// Whatever computes a step: a transformer, or a wrong one.
using Forward = std::function<LogitRows(std::span<const StepSequence> step, KvCache& cache)>;

/// A cache all of whose blocks hold NaN, so that a token read before it is written is noticed, and
/// which gives them out in random order.
class NanCache {
 public:
  NanCache(const KvShape& shape, std::int64_t blocks, std::uint64_t seed)
      : cache_(shape, blocks, 0), free_(static_cast<std::size_t>(blocks)) {
    for (std::size_t i = 0; i < free_.size(); ++i) free_[i] = BlockId(static_cast<unsigned>(i));
    const std::int64_t columns = std::int64_t{shape.kv_heads} * shape.head_dim;
    const std::vector<float> nan(static_cast<std::size_t>(columns * shape.block_tokens),
                                 std::numeric_limits<float>::quiet_NaN());
    for (std::int32_t layer = 0; layer < shape.layers; ++layer) {
      for (const BlockId& block : free_) {
        cache_.write(layer, {&block, 1}, 0, shape.block_tokens, {nan.data(), nan.data(), columns});
      }
    }
    Rng rng(seed);
    for (std::size_t i = free_.size(); i > 1; --i) std::swap(free_[i - 1], free_[rng() % i]);
  }

  KvCache& cache() { return cache_; }

  /// A table for `tokens` tokens.
  std::vector<BlockId> take(std::int64_t tokens) {
    const std::int64_t size = cache_.shape().block_tokens;
    std::vector<BlockId> table;
    for (std::int64_t token = 0; token < tokens; token += size) {
      table.push_back(free_.back());
      free_.pop_back();
    }
    return table;
  }

 private:
  KvCache cache_;
  std::vector<BlockId> free_;
};

/// One sequence that grows from step to step.
class GrowingSequence {
 public:
  GrowingSequence(const Forward& forward, NanCache& cache, std::int64_t tokens_most)
      : forward_(forward), cache_(cache), blocks_(cache.take(tokens_most)) {}

  /// Appends tokens in one step of this sequence alone; returns the logits of the last.
  std::vector<float> append(std::span<const Token> tokens) {
    const StepSequence part{tokens, length_, blocks_, true};
    const LogitRows logits = forward_({&part, 1}, cache_.cache());
    length_ += static_cast<std::int64_t>(tokens.size());
    return {logits.row(0).begin(), logits.row(0).end()};
  }
  std::vector<float> append(Token token) { return append(std::span(&token, 1)); }

 private:
  const Forward& forward_;
  NanCache& cache_;
  std::vector<BlockId> blocks_;
  std::int64_t length_ = 0;
};

}  // namespace tokenyard
