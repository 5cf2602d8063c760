#pragma once
// What happens to each row of activations by itself. A row is done by one worker in one order, so
// its bits depend on nothing but the row; they may differ between CPU levels, except that AVX2 and
// AVX-512 agree. All of it works on the rows [rows.begin, rows.end), which the caller cuts for its
// workers (`part_of`); a range beyond the input's rows breaks an invariant. Outputs may be the
// inputs themselves, but must not overlap them otherwise.

#include <cstdint>

#include "engine/kernels/packed_matrix.hpp"
#include "engine/kernels/workers.hpp"
#include "engine/model_config.hpp"

namespace tokenyard {

/// A norm's parameters.
struct NormWeights {
  const float* scale = nullptr;  ///< [columns]
  const float* shift = nullptr;  ///< [columns], or none; RMSNorm has none
  float epsilon = 0;
};

/// LayerNorm (Ba et al., arXiv 1607.06450): (x - mean) / sqrt(variance + epsilon) x scale + shift.
/// RMSNorm (Zhang and Sennrich, arXiv 1910.07467): x / sqrt(mean of squares + epsilon) x scale.
void normalize(NormKind kind, const NormWeights& weights, std::int64_t columns, InputRows x,
               OutputRows y, Part rows);

/// y = f(x). Errors are below 2e-6 of the exact value or 1e-10, whichever is more.
void activate(Activation f, std::int64_t columns, InputRows x, OutputRows y, Part rows);

/// y = f(gate) x up (Shazeer, "GLU Variants Improve Transformer", arXiv 2002.05202).
void activate_gated(Activation f, std::int64_t columns, InputRows gate, InputRows up, OutputRows y,
                    Part rows);

/// y = e^x within 1.01 units in the last place, exactly 1 at 0: the exponential that attention and
/// the activations use. It is 0 where the value is below the least normal number (x < -87.33),
/// infinite above the largest one (x > 88.72).
void exponentiate(std::int64_t columns, InputRows x, OutputRows y, Part rows);

/// y = y + x.
void add(std::int64_t columns, InputRows x, OutputRows y, Part rows);

/// Cuts the elements of y to ± `most`.
void clamp(float most, std::int64_t columns, OutputRows y, Part rows);

}  // namespace tokenyard
