#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "experiments/validate/iteration_watch.hpp"

namespace tokenyard {

/// How far live iterations of equal load differ from one another, and live runs in total: what no
/// cost model can foresee, as it knows the load alone.
///
/// Two iterations, of the same run or of two, are of equal load where sequences, tokens and context
/// of their prefills, their decoding sequences and the blocks copied are equal, and the decodes'
/// context is in the same step of `kEqualContextTokens` (their sum grows with each iteration, and
/// so many tokens more cost next to nothing). The deviation of one of n >= 2 equals is their mean
/// minus its own time, times sqrt(n / (n - 1)) as in a sample variance, since the mean is drawn
/// towards it; relative to its own time, as errors of the cost model are. So a model that charged
/// the true mean of each load would have about these errors. An iteration without an equal has
/// none.
struct LiveSpread {
  IterationErrors equals;  ///< their deviations, as errors of the iterations that have an equal
  /// Half-width of the 95 % interval (Student) over the runs of each one's charges over its
  /// measured times: charges make runs of unequal loads comparable. Empty with fewer than two runs.
  std::optional<double> total_half_width;
};

inline constexpr std::int64_t kEqualContextTokens = 16;

/// Of the live runs of one policy.
LiveSpread spread_of(std::span<const std::vector<ChargedIteration>> runs);

}  // namespace tokenyard
