#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tokenyard {

/// Of parallel samples the `n` best, by the log-probability of the whole output, as vLLM's best_of
/// chose: their numbers, best first, equals in order. All, where there are fewer.
std::vector<std::int32_t> best_of(std::span<const double> sum_logprobs, std::int32_t n);

}  // namespace tokenyard
