#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "engine/model_config.hpp"

namespace tokenyard {

/// What can be done with a row of logits.
enum class RowStatus : std::uint8_t {
  good,
  not_a_number,  ///< a logit is NaN or +infinity: the row has no probabilities
  all_masked,    ///< every logit is -infinity: no token may be chosen
};

/// A token and its logit. Of all the tokens of a row, one stands before another where its logit is
/// greater, or equal and its id smaller: this order decides every tie.
struct RankedToken {
  float logit = 0.0F;
  Token token = 0;

  bool operator<(const RankedToken& other) const {
    return logit != other.logit ? logit > other.logit : token < other.token;
  }
};

/// The tokens of a row up to `last` in its order; as it is made, all of them.
struct Cut {
  RankedToken last{-std::numeric_limits<float>::infinity(), std::numeric_limits<Token>::max()};

  bool cuts() const { return last.token != std::numeric_limits<Token>::max(); }
  bool keeps(float logit, std::size_t token) const {
    return !(last < RankedToken{logit, static_cast<Token>(token)});
  }
};

/// What one pass over a row of f32 logits finds: its status, its maximum, and the maximum of each
/// block of `kBlock` tokens, with which the k greatest are found without sorting the row.
/// Reductions run over positions in the row in an order that depends on nothing else. Refers to the
/// logits read last, which must not change; not thread-safe.
class LogitRow {
 public:
  static constexpr std::size_t kBlock = 64;

  /// Reads a row of at least one logit; unless it is good, nothing else may be asked.
  RowStatus read(std::span<const float> logits);

  std::span<const float> logits() const { return logits_; }
  /// The greatest logit; finite.
  float most() const { return most_; }
  /// Where it stands, the first time.
  Token argmax() const;
  std::size_t blocks() const { return block_most_.size(); }
  float block_most(std::size_t block) const { return block_most_[block]; }
  /// The tokens of a block: [first, last).
  std::size_t first(std::size_t block) const { return block * kBlock; }
  std::size_t last(std::size_t block) const {
    return std::min(first(block) + kBlock, logits_.size());
  }

  /// The `count` first tokens (all, where there are fewer), in order. Valid until the next call of
  /// this or of `cut_after`. O(tokens / kBlock + count x kBlock) as long as `count` is not more
  /// than the number of blocks, else O(tokens).
  std::span<const RankedToken> top(std::size_t count);
  /// What keeps the `count` first tokens, at least 1, without putting them in order.
  Cut cut_after(std::size_t count);

  /// ln of the sum over all tokens of e^logit, so that a token's log-probability is its logit minus
  /// this. O(tokens).
  double log_sum_exp() const;

 private:
  void select(std::size_t count);
  void survey_small_groups();
  std::span<RankedToken> first_tokens(std::size_t count);

  std::span<const float> logits_;
  float most_ = 0.0F;
  std::vector<float> block_most_;
  std::vector<float> most_of_groups_;
  std::vector<RankedToken> selected_;
};

}  // namespace tokenyard
