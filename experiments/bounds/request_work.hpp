#pragma once

#include <cstdint>
#include <vector>

#include "experiments/bounds/lower_bound.hpp"

namespace tokenyard {

/// How an iteration's fixed cost is shared among its sequences: `places` / max_num_seqs each, and
/// 1 - `places` by the part of the pool's blocks that they hold. The shares of a batch never
/// exceed 1.
struct FixedCostShares {
  double places = 1;
};

/// The least that a request takes of the server under any schedule, in whole ns (rounded down).
struct RequestWork {
  Duration machine{0};  ///< of the machine, when the batches are as full as they can be
  Duration alone{0};    ///< of time, whatever the company
  /// How long before its end, on average over its machine time, it gets that time at the latest.
  Duration lag{0};
};

/// Adds up `RequestWork` from tables over the contexts, each O(1). Proofs: docs/lower-bound.md.
/// Immutable.
class WorkTables {
 public:
  /// For contexts up to `longest`. `floor` may be an average of planes: `planes` with their
  /// weights.
  WorkTables(std::span<const CostFloor> planes, std::span<const double> weights,
             const ServerSettings& settings, FixedCostShares shares, std::int64_t longest);

  RequestWork of(const BoundRequest& request) const;

 private:
  double share(std::int64_t context) const;
  double prefill_ns(std::int64_t tokens) const;
  double decode_ns(std::int64_t context) const;
  double machine_ns(double beside, std::int64_t context) const;
  double alone_ns(double beside) const;

  std::vector<CostFloor> planes_;
  std::vector<double> weights_;
  const ServerSettings& settings_;
  FixedCostShares shares_;
  double fixed_ns_ = 0;

  // Sums over the decode iterations with contexts 1 … i.
  std::vector<long double> machine_, alone_, lagged_;
};

}  // namespace tokenyard
