#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/sampling/sampling_params.hpp"

namespace tokenyard {

/// How often each token stands in a sequence, for those that do. Only a request with penalties
/// needs one. A value type: a sequence that parts from another takes a copy.
class TokenCounts {
 public:
  struct Entry {
    Token token = 0;
    std::int32_t in_output = 0;  ///< 0 where it is in the prompt alone
  };

  explicit TokenCounts(std::span<const Token> prompt);

  /// O(log n + n to move) over the n different tokens so far.
  void add_output(Token token);

  /// By token, in order.
  std::span<const Entry> entries() const { return entries_; }

 private:
  std::vector<Entry> entries_;
};

/// Changes the logits of the tokens counted, in vLLM's order: a positive one is divided by the
/// repetition penalty, another multiplied with it (Keskar et al., arXiv 1909.05858, section 4.1,
/// with the sign minded); then for tokens of the output the frequency penalty times their number
/// and the presence penalty once are taken away (OpenAI's definition). O(different tokens).
void apply_penalties(const SamplingParams& params, const TokenCounts& counts,
                     std::span<float> logits);

}  // namespace tokenyard
