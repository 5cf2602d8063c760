#include "engine/sampling/sampler.hpp"

#include <cmath>
#include <limits>

#include "sim/kernel/invariant.hpp"
#include "sim/kernel/rng.hpp"

namespace tokenyard {

double sampling_draw(std::uint64_t seed, std::int32_t sequence, std::int64_t position) {
  const auto key =
      (static_cast<std::uint64_t>(sequence) << 40U) + static_cast<std::uint64_t>(position);
  return std::ldexp(static_cast<double>(named_stream(seed, "sampler", key)() >> 11U), -53);
}

/// The row, copied where something of it must change.
std::span<const float> Sampler::changed_logits(const SampleInput& input) {
  const bool penalties = input.params.has_penalties();
  if (!penalties && input.masked.empty()) return input.logits;
  changed_.assign(input.logits.begin(), input.logits.end());
  if (penalties) {
    invariant(input.counts != nullptr, "a request with penalties is counted", "no counts");
    apply_penalties(input.params, *input.counts, changed_);
  }
  for (const Token token : input.masked) {
    // A token that the model's head has no row for is never chosen anyway.
    if (token < 0 || static_cast<std::size_t>(token) >= changed_.size()) continue;
    float& logit = changed_[static_cast<std::size_t>(token)];
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    if (logit < kInfinity) logit = -kInfinity;  // a broken row stays one
  }
  return changed_;
}

Sample Sampler::sample(const SampleInput& input) {
  const SamplingParams& params = input.params;
  Sample sample;
  sample.status = row_.read(changed_logits(input));
  if (sample.status != RowStatus::good) return sample;
  if (params.greedy()) {
    sample.token = row_.argmax();
  } else {
    distribution_.set(row_, {.temperature = params.temperature,
                             .top_k = params.top_k,
                             .top_p = params.top_p,
                             .min_p = params.min_p});
    const double u = sampling_draw(input.seed, input.sequence, input.position);
    sample.token = distribution_.draw(u);
  }
  if (params.needs_logprob()) add_logprobs(input, sample);
  return sample;
}

void Sampler::add_logprobs(const SampleInput& input, Sample& sample) {
  if (row_.logits().data() != input.logits.data()) {
    const RowStatus status = row_.read(input.logits);
    invariant(status == RowStatus::good, "a token comes from a good row", "{} logits",
              input.logits.size());
  }
  const double log_sum = row_.log_sum_exp();
  const auto logprob = [&](Token token) {
    const float logit = input.logits[static_cast<std::size_t>(token)];
    return static_cast<float>(static_cast<double>(logit) - log_sum);
  };
  sample.logprob = logprob(sample.token);
  const std::int32_t asked = input.params.logprobs.value_or(0);
  top_.clear();
  for (const RankedToken& ranked :
       row_.top(asked < 0 ? input.logits.size() : static_cast<std::size_t>(asked))) {
    top_.push_back({ranked.token, logprob(ranked.token)});
  }
  sample.top = top_;
}

}  // namespace tokenyard
