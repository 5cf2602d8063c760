#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "experiments/statistics/distribution.hpp"
#include "sim/ports/observer.hpp"

namespace tokenyard {

/// Counts and sums over the requests that a summary tells of.
struct RequestSums {
  std::int64_t requests = 0, completed = 0, rejected = 0;
  std::int64_t tokens = 0;  ///< of the completed: all sequences', but of the beams one
  std::int64_t preemptions = 0, swaps_out = 0, swaps_in = 0, recomputed_tokens = 0;
  std::int64_t prompt_tokens = 0, cached_tokens = 0;  ///< of those that were ever scheduled
  /// Nanoseconds; of a million requests that wait for hours 64 bits would not hold them.
  WideInteger in_system_ns = 0, swapping_ns = 0;
  Time first_arrival = kNever, last_end = Time::min();
};

/// Bounds that a request's latencies are to keep together; a service level objective. A value type.
struct LatencyBounds {
  std::optional<Duration> jct, ttft, tpot, normalized_latency;  ///< empty: any
};

/// What is kept of the requests of a run for its summary: sums, and 32 bytes a completed request,
/// from which every latency is computed exactly. Working space of 8 to 24 bytes a request while a
/// distribution is asked for. One object serves one run, from the loop's thread.
class Samples {
 public:
  /// The next request, in dense order (sums of slowdowns are rounded in that order). `alone` is how
  /// long it takes alone on the same machine; 0: not known, it has no slowdown.
  void add(const RequestFacts& facts, Duration alone);

  const RequestSums& sums() const { return sums_; }

  // Latencies of the completed requests, in seconds; see `summarize`.
  Distribution jct() const;
  Distribution ttft() const;
  Distribution tpot() const;
  Distribution normalized_latency() const;
  Distribution slowdown() const;
  /// How many requests completed within all the bounds. One of a single token has no tpot to
  /// exceed.
  std::int64_t within(const LatencyBounds& bounds) const;
  /// Jain's index over the tenants' mean slowdowns or, where there is one tenant, over those of the
  /// requests.
  std::optional<double> jain_fairness() const;

 private:
  struct Latencies {
    std::int64_t jct;     ///< nanoseconds
    std::int64_t ttft;    ///< nanoseconds
    std::int64_t alone;   ///< nanoseconds; 0: not known
    std::int64_t tokens;  ///< of its output
  };

  static std::optional<std::int64_t> tpot_of(const Latencies& request);
  static std::optional<std::int64_t> normalized_of(const Latencies& request);
  template <typename Value>
  Distribution distribution(Value value) const;
  std::vector<double> slowdowns() const;

  RequestSums sums_;
  std::deque<Latencies> completed_;  ///< grows without being copied
  std::map<TenantId, std::pair<double, std::int64_t>> slowdown_by_tenant_;  ///< sum, count
};

}  // namespace tokenyard
