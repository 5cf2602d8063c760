#pragma once
// The formulas of a Transformer's parts on vectors of doubles, each as its paper states it. Nothing
// here is shared with the engine, so that a slip in one cannot hide in the other.

#include <cstdint>
#include <span>
#include <vector>

#include "engine/model_config.hpp"

namespace tokenyard::test {

using Vector = std::vector<double>;

/// y = W x + b; `weights` holds the rows of W one after another, `bias` may be empty.
struct Linear {
  std::int64_t outputs = 0;
  std::int64_t inputs = 0;
  Vector weights;
  Vector bias;
};

/// Scale and shift of a norm, one of each an element; `shift` may be empty.
struct Norm {
  Vector scale;
  Vector shift;
};

/// The nearest bf16, ties to even. The number is taken as an f32, as the engine holds it.
double rounded_to_bf16(double value);

Vector product(const Linear& linear, const Vector& x);

/// LayerNorm (Ba et al., arXiv 1607.06450, eq. 4) or RMSNorm (Zhang and Sennrich, arXiv 1910.07467,
/// eq. 4), with epsilon under the root.
Vector normalised(const Norm& norm, NormKind kind, double epsilon, const Vector& x);

double activated(Activation activation, double x);

/// Turns each pair of a head's elements by position x frequency (Su et al., arXiv 2104.09864,
/// eq. 34); `frequencies` has one for each pair.
void rotate(std::span<double> head, std::int64_t position, std::span<const float> frequencies,
            RopePairs pairs);

Vector softmax(Vector scores);

}  // namespace tokenyard::test
