#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "experiments/statistics/paired.hpp"

namespace tokenyard {

/// One request of a pair of runs over the same trace.
struct PairedSample {
  double arrival_s = 0;
  double base = 0;
  double candidate = 0;
};

/// What is compared: a statistic of the values of some requests.
using Statistic = std::function<double(std::vector<double>& values)>;

/// The mean; the value of rank ceil(q n) (nearest rank).
Statistic mean_statistic();
Statistic quantile_statistic(double q);

/// A 95 % interval for the change of a statistic on one trace, by moving-block bootstrap over time
/// (Kunsch, "The jackknife and the bootstrap for general stationary observations", Ann. Stat. 17,
/// 1989): windows of arrivals are drawn with replacement until they cover the trace's length, the
/// same for both runs; single requests are never drawn, since neighbours wait for one another. The
/// interval is that of the percentiles of 1,000 draws. `samples` by arrival; windows are a
/// twentieth of the trace's span. Empty with fewer than 40 requests or a base of 0.
std::optional<RelativeChange> block_bootstrap_change(std::span<const PairedSample> samples,
                                                     const Statistic& statistic,
                                                     std::uint64_t seed);

}  // namespace tokenyard
