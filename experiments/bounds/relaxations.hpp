#pragma once
// Problems on one machine that are easier than serving, and whose optima are known.

#include <cstdint>
#include <span>

#include "experiments/statistics/distribution.hpp"
#include "sim/kernel/time.hpp"

namespace tokenyard {

/// A job of one machine.
struct MachineJob {
  Time release;
  Duration size{0};  ///< not negative
};

/// The least sum of completion times (ns from the origin) on one preemptive machine: that of the
/// shortest remaining processing time first (Schrage, Operations Research 16(3), 1968). `jobs` are
/// in the order of release. O(n log n).
WideInteger least_completion_sum(std::span<const MachineJob> jobs);

/// The least sum of mean busy times, each rounded down to whole ns: the average of the moments at
/// which the machine works on a job. It is that of the job with the smallest whole size first,
/// preempting (Goemans, Queyranne, Schulz, Skutella and Wang, SIAM J. Discrete Math. 15(2), 2002,
/// for the weights 1). A job of no size has its release instead. O(n log n).
WideInteger least_mean_busy_sum(std::span<const MachineJob> jobs);

}  // namespace tokenyard
