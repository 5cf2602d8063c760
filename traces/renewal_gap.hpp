#pragma once

#include "sim/kernel/rng.hpp"

namespace tokenyard {

/// The gaps of a renewal process in units of their mean: gamma or Weibull, by shape. A value type.
class UnitGap {
 public:
  enum class Law { gamma, weibull };

  /// `shape` is from `kLeastShape` to `kMostShape`.
  UnitGap(Law law, double shape);

  /// A gap with mean 1.
  double draw(Rng& rng) const;

  /// What is left of the gap that somebody finds who comes at any time: a process that begins with
  /// it is in its steady state, so its mean rate is 1 from the start on. Uniformly far into a gap
  /// that is drawn by its length (Cox, "Renewal Theory", 1962, section 5.4).
  double draw_remainder(Rng& rng) const;

 private:
  Law law_;
  double shape_, scale_;
};

inline constexpr double kLeastShape = 0.008;
inline constexpr double kMostShape = 1e6;

inline UnitGap weibull_gap(double shape) {
  return {UnitGap::Law::weibull, shape};
}

/// The shape k of a Weibull distribution with this coefficient of variation, 0.01 … 100: the root
/// of gamma(1 + 2/k) / gamma(1 + 1/k)^2 = 1 + cv^2.
double weibull_shape(double cv);

}  // namespace tokenyard
