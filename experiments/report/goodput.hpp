#pragma once

#include <span>
#include <string>
#include <string_view>

#include "experiments/report/request_samples.hpp"

namespace tokenyard {

/// What one request must meet: a latency of its own that is at most `bound` seconds.
struct LatencyBound {
  enum class Metric { jct, ttft, tpot, normalized_latency };
  Metric metric = Metric::jct;
  double bound_s = 0;
  std::string text;  ///< as given
};

/// "ttft_s<=1": jct_s, ttft_s, tpot_s or normalized_latency_s. Throws `InputError` for anything
/// else.
LatencyBound parse_latency_bound(std::string_view text);

/// How many of a run's requests finished within all bounds (DistServe, Zhong et al., OSDI 2024,
/// section 2, calls their rate goodput). A request without a second token has no TPOT to miss.
std::int64_t count_within(const RunSamples& run, std::span<const LatencyBound> bounds);

}  // namespace tokenyard
