#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "experiments/record/samples.hpp"

namespace tokenyard {

/// A service level objective. Either a metric of the summary with a bound, "p99_ttft_s<=0.5"; or
/// the share of requests that meet bounds together, "ttft_s<=0.5,tpot_s<=0.05:share>=0.9", where
/// requests that did not complete miss them (the highest rate that keeps it is the goodput of
/// Zhong et al., "DistServe", OSDI 2024). A value type.
struct Slo {
  std::string text;                     ///< as given
  std::string metric;                   ///< a name of `metric_names`; of a share empty
  std::optional<LatencyBounds> bounds;  ///< of a share
  bool at_most = true;                  ///< <=, else >=
  double bound = 0;
};

/// Throws `InputError`, saying what was expected. Metrics that more load makes greater by itself
/// (throughput, counts of requests, the duration) are refused.
Slo parse_slo(std::string_view text);

/// The quantile of a percentile's name: 0.99 of "p99_jct_s"; empty for other metrics.
std::optional<double> quantile_of(std::string_view metric);

}  // namespace tokenyard
