#pragma once
// Exact summaries of samples. Percentiles are nearest rank (type 1 of Hyndman and Fan, "Sample
// Quantiles in Statistical Packages", 1996): the smallest sample x such that at least q n of the
// n samples are <= x. It is always an observed value, and needs no floating-point arithmetic.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "experiments/statistics/value_counts.hpp"

namespace tokenyard {

/// The six numbers that results give of a distribution; all empty when there is no sample.
struct Distribution {
  std::optional<double> mean, p50, p90, p95, p99, max;
};

/// The rank, from 1, of the nearest-rank percentile among `count` >= 1 samples; `permille` in
/// [0, 1000] is the quantile times 1,000.
std::int64_t nearest_rank(std::int64_t count, std::int64_t permille);

/// Of durations in nanoseconds; the result is in seconds. The mean's sum is exact.
Distribution distribution_of_nanoseconds(std::vector<std::int64_t> samples);

/// The same of samples kept as value and count.
Distribution distribution_of_nanoseconds(const ValueCounts& samples);

/// Of plain numbers, which must not be NaN. The sum runs in ascending order, so that the result
/// does not depend on the order of the samples.
Distribution distribution_of(std::vector<double> samples);

/// Jain's fairness index (sum x)^2 / (n sum x^2) (Jain, Chiu and Hawe, DEC-TR-301, 1984): 1 when
/// all are equal, 1/n when one has everything. Empty without a sample or when all are zero.
std::optional<double> jain_fairness(const std::vector<double>& shares);

/// For exact sums of nanoseconds, which overflow 64 bits within a long run.
__extension__ typedef __int128 WideInteger;

}  // namespace tokenyard
