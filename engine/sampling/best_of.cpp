#include "engine/sampling/best_of.hpp"

#include <algorithm>
#include <numeric>

namespace tokenyard {

std::vector<std::int32_t> best_of(std::span<const double> sum_logprobs, std::int32_t n) {
  std::vector<std::int32_t> samples(sum_logprobs.size());
  std::iota(samples.begin(), samples.end(), 0);
  std::stable_sort(samples.begin(), samples.end(), [&](std::int32_t a, std::int32_t b) {
    return sum_logprobs[static_cast<std::size_t>(a)] > sum_logprobs[static_cast<std::size_t>(b)];
  });
  samples.resize(std::min(samples.size(), static_cast<std::size_t>(n)));
  return samples;
}

}  // namespace tokenyard
