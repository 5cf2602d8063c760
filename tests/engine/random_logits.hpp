#pragma once
// Rows of logits for tests, the same in every run.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/kernel/rng.hpp"

namespace tokenyard::test {

/// A number of (0, 1).
inline double uniform(Rng& rng) {
  return (static_cast<double>(rng() >> 11U) + 0.5) * 0x1p-53;
}

/// `size` normally distributed logits with this deviation, rounded to multiples of `grain` (so that
/// some are equal) unless it is 0.
inline std::vector<float> random_logits(std::uint64_t seed, std::size_t size, double deviation,
                                        double grain = 0.0) {
  Rng rng = named_stream(seed, "logits");
  std::vector<float> logits(size);
  for (float& logit : logits) {
    const double radius = std::sqrt(-2.0 * std::log(uniform(rng)));
    double value = deviation * radius * std::cos(6.283185307179586 * uniform(rng));
    if (grain > 0.0) value = grain * std::round(value / grain);
    logit = static_cast<float>(value);
  }
  return logits;
}

}  // namespace tokenyard::test
