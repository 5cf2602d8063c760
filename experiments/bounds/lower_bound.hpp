#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "experiments/statistics/distribution.hpp"
#include "models/cost_floor.hpp"
#include "sim/ports/observer.hpp"
#include "sim/server/settings.hpp"

namespace tokenyard {

/// What a bound must know of a request.
struct BoundRequest {
  Time arrival;
  std::int64_t prompt_tokens = 1;
  std::int64_t output_tokens = 1;  ///< of the longest of its sequences
};

/// What the bound comes from; see docs/lower-bound.md.
enum class Relaxation : std::uint8_t {
  alone,      ///< each request as if it had the machine to itself
  srpt,       ///< shortest remaining time first, on a machine as fast as the fullest batch
  mean_busy,  ///< the same machine, on which no request gets ahead faster than it could alone
};

/// A few words for people.
const char* name_of(Relaxation relaxation);

struct JctBound {
  WideInteger total_ns = 0;  ///< the sum of the JCTs is not below this, to the last nanosecond
  std::size_t requests = 0;
  Relaxation from = Relaxation::alone;  ///< the strongest

  double mean_s() const;
};

/// Puts them in the order in which bounds look at them, whatever order they come in.
void sort_for_bound(std::vector<BoundRequest>& requests);

/// A lower bound on the sum of job completion times of these requests under any schedule of a
/// server with these settings (its limits, its pool, its way of prefilling; whatever the policy),
/// where iterations cost at least what `floors` say. Empty without requests or floors, and for
/// contexts of over two million tokens, whose tables it does not make.
std::optional<JctBound> lower_bound_on_jct(std::vector<BoundRequest> requests,
                                           const ServerSettings& settings,
                                           std::span<const CostFloor> floors);

/// Keeps what the bound needs of the requests that finished, and that arrived at `warmup` or later:
/// those over which the summary's means are.
class FinishedRequests final : public Observer {
 public:
  explicit FinishedRequests(Time warmup) : warmup_(warmup) {}

  bool watches_iterations() const override { return false; }
  void ended(const RequestFacts& facts) override;

  std::vector<BoundRequest> take() { return std::move(requests_); }

 private:
  Time warmup_;
  std::vector<BoundRequest> requests_;
};

}  // namespace tokenyard
