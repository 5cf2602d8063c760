#include "engine/architectures/positions.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

#include "sim/kernel/invariant.hpp"

namespace tokenyard {
namespace {

double rope_frequency(std::int32_t pair, std::int32_t head_dim, double base) {
  return std::pow(base, -2.0 * pair / head_dim);
}

/// Slope `i` of `heads`, a power of two.
float alibi_slope(std::uint32_t i, std::uint32_t heads, double bias_max) {
  return static_cast<float>(std::exp2(-bias_max * i / heads));
}

}  // namespace

std::vector<float> rope_frequencies(std::int32_t head_dim, double base) {
  std::vector<float> frequencies;
  for (std::int32_t pair = 0; pair < head_dim / 2; ++pair) {
    frequencies.push_back(static_cast<float>(rope_frequency(pair, head_dim, base)));
  }
  return frequencies;
}

std::vector<float> rope_frequencies(std::int32_t head_dim, double base,
                                    const Llama3Scaling& scaling) {
  std::vector<float> frequencies;
  for (std::int32_t pair = 0; pair < head_dim / 2; ++pair) {
    const double frequency = rope_frequency(pair, head_dim, base);
    const double turns = scaling.original_context * frequency / (2 * std::numbers::pi);
    const double range = scaling.high_frequency - scaling.low_frequency;
    const double kept = std::clamp((turns - scaling.low_frequency) / range, 0.0, 1.0);
    frequencies.push_back(static_cast<float>(frequency * (kept + (1 - kept) / scaling.factor)));
  }
  return frequencies;
}

std::vector<float> alibi_slopes(std::int32_t heads, double bias_max) {
  invariant(heads > 0, "a model has heads", "{} heads", heads);
  const auto count = static_cast<std::uint32_t>(heads);
  const std::uint32_t below = std::bit_floor(count);
  std::vector<float> slopes;
  for (std::uint32_t i = 1; i <= below; ++i) slopes.push_back(alibi_slope(i, below, bias_max));
  for (std::uint32_t i = 1; slopes.size() < count; i += 2) {
    slopes.push_back(alibi_slope(i, 2 * below, bias_max));
  }
  return slopes;
}

}  // namespace tokenyard
