#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace tokenyard {

/// How a candidate differs from a base, relative to the base's mean, with a 95 % interval.
struct RelativeChange {
  double change = 0;  ///< (candidate - base) / |base|
  double low = 0;
  double high = 0;
  double p_value = 1;  ///< two-sided, of no difference
  /// By how much one more pair narrows it: an interval of this half-width from `pairs` pairs.
  std::int64_t pairs = 0;

  double half_width() const { return (high - low) / 2; }
};

/// From pairs of replications with common random numbers: Student's t interval of the mean
/// difference (Law, "Simulation Modeling and Analysis", 5th ed., section 10.2.1), over the base's
/// mean, whose own error is neglected. Empty with fewer than two pairs or a base of mean 0.
std::optional<RelativeChange> paired_change(std::span<const double> base,
                                            std::span<const double> candidate);

/// How many pairs in all tell, with a probability of 90 %, on which side of `bound` the change
/// lies: were it as far from the bound as it seems to be, or be it one of 5 %, whichever asks for
/// more (Stein, "A two-sample test for a linear hypothesis whose power is independent of the
/// variance", Ann. Math. Stat. 16, 1945: Student's quantiles of the pilot make up for its spread
/// being an estimate). At least two, at most 10^9. Precondition: two pairs.
std::int64_t pairs_needed(const RelativeChange& change, double bound);

/// Holm's correction ("A simple sequentially rejective multiple test procedure", Scand. J. Stat. 6,
/// 1979): p-values such that rejecting those below 5 % errs anywhere with at most 5 %. In place.
void adjust_by_holm(std::span<double> p_values);

}  // namespace tokenyard
