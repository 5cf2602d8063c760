#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/sampling/logit_row.hpp"
#include "engine/sampling/penalties.hpp"
#include "engine/sampling/sampling_params.hpp"
#include "engine/sampling/token_distribution.hpp"

namespace tokenyard {

/// What the choice of one token depends on, and all that it does.
struct SampleInput {
  const SamplingParams& params;
  std::span<const float> logits;        ///< one a token of the vocabulary
  const TokenCounts* counts = nullptr;  ///< of the sequence; not needed without penalties
  std::span<const Token> masked = {};   ///< not to be chosen now (see `StopRule::masked`)
  std::uint64_t seed = 0;               ///< the request's, or one derived from the run's
  std::int32_t sequence = 0;            ///< which of the request's sequences
  std::int64_t position = 0;            ///< output tokens before this one
};

struct TokenLogprob {
  Token token = 0;
  float logprob = 0.0F;
};

struct Sample {
  RowStatus status = RowStatus::good;  ///< unless it is good, there is no token
  Token token = -1;
  float logprob = 0.0F;                    ///< where `needs_logprob`
  std::span<const TokenLogprob> top = {};  ///< as many as `logprobs` asks for, most likely first
};

/// The number of [0, 1) that decides a token. It is keyed by these three and nothing else: the
/// first 53 bits of the stream "sampler" of the seed, split by sequence x 2^40 + position.
double sampling_draw(std::uint64_t seed, std::int32_t sequence, std::int64_t position);

/// Chooses tokens. In order: the penalties; tokens masked; then, where the request is greedy, the
/// token of the greatest logit, the lowest id among equals; else temperature, min_p, top_k and
/// top_p as `TokenDistribution` has it, and a draw. Log-probabilities are those of the model: of
/// the logits as they came, before any of this (vLLM's "raw" ones).
///
/// The result is the same in whatever batch, order or process. A sampler only keeps memory from one
/// row to the next: have one for each thread.
class Sampler {
 public:
  /// `top` of the result is valid until the next call. O(vocabulary).
  Sample sample(const SampleInput& input);

 private:
  std::span<const float> changed_logits(const SampleInput& input);
  void add_logprobs(const SampleInput& input, Sample& sample);

  LogitRow row_;
  TokenDistribution distribution_;
  std::vector<float> changed_;
  std::vector<TokenLogprob> top_;
};

}  // namespace tokenyard
