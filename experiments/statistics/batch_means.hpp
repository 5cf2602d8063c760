#pragma once

#include <span>

#include "experiments/statistics/interval.hpp"

namespace tokenyard {

/// An interval for the steady-state mean out of one long run.
struct BatchMeans {
  Interval interval;  ///< empty with fewer than 400 observations
  /// Whether successive batches show no correlation; where they do the interval is too narrow, and
  /// the run too short.
  bool independent = false;
};

/// Nonoverlapping batch means with few, long batches (Schmeiser, "Batch size effects in the
/// analysis of simulation output", Operations Research 30, 1982: more than 30 gain little):
/// Student's t interval of the means of 20 equal batches. They count as independent where not even
/// their halves show positive correlation at 20 %, by von Neumann's ratio (Fishman, "Grouping
/// observations in digital simulation", Management Science 24, 1978). What does not fill a batch is
/// left out at the beginning.
BatchMeans batch_means(std::span<const double> observations);

}  // namespace tokenyard
