#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/statistics/block_bootstrap.hpp"

namespace tokenyard {

/// The latencies of a request that has both run and finished in two runs.
struct RequestPair {
  std::string request;
  double arrival_s = 0;
  // By the names of `latency_names`; empty cells are not numbers.
  std::vector<std::optional<double>> base, candidate;
};

/// The columns of requests.csv that have percentiles in summary.csv: jct_s, ttft_s, tpot_s and
/// normalized_latency_s, in this order.
const std::vector<std::string>& latency_names();

/// Reads two requests.csv of the same trace. A request that has finished in one of them only is in
/// the answer's place `one_sided`. Throws `InputError`, also where the traces differ.
struct RequestPairs {
  std::vector<RequestPair> both;  ///< in the order of arrival
  std::int64_t one_sided = 0;
};
RequestPairs read_request_pairs(const std::filesystem::path& base,
                                const std::filesystem::path& candidate);

/// The change of a summary's metric ("p99_jct_s") by moving-block bootstrap; empty where it is not
/// one of requests' latencies.
std::optional<RelativeChange> bootstrap_metric(const RequestPairs& pairs, std::string_view metric);

}  // namespace tokenyard
