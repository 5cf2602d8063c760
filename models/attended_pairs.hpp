#pragma once

#include <algorithm>

#include "sim/ports/cost_model.hpp"

namespace tokenyard {

/// Token pairs (attending, attended to) of all prefills of a load. Attention is causal: a whole
/// prompt of c tokens has about c²/2 pairs, a chunk c after p earlier tokens c p + c²/2. The load
/// holds sums over sequences only, so sum(c p) is taken as (sum c)(sum p)/sequences: exact for one
/// prefill, for whole prompts and for equal chunks.
inline double attended_pairs(const IterationLoad& load) {
  if (load.prefill_sequences == 0) return 0;
  const auto product = static_cast<double>(load.prefill_context_product);
  const auto earlier = static_cast<double>(load.prefill_context_tokens - load.prefill_tokens);
  const double with_earlier = static_cast<double>(load.prefill_tokens) * earlier /
                              static_cast<double>(load.prefill_sequences);
  return (product + std::min(product, with_earlier)) / 2;
}

}  // namespace tokenyard
