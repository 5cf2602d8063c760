#pragma once

#include <cstdint>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "experiments/bounds/lower_bound.hpp"

namespace tokenyard {

/// Lower bounds by what they follow from, each computed once: all policies that serve the same
/// requests on the same machine have the same one. Safe to use from several threads; who asks for
/// what another computes waits for it.
class KnownBounds {
 public:
  /// `lower_bound_on_jct`. It is told apart by a 64-bit fingerprint of requests, settings and
  /// floors.
  std::optional<JctBound> of(std::vector<BoundRequest> requests, const ServerSettings& settings,
                             std::span<const CostFloor> floors);

  /// How many were computed.
  std::size_t size() const;

 private:
  using Answer = std::optional<JctBound>;

  mutable std::mutex mutex_;
  std::map<std::uint64_t, std::shared_future<Answer>> answers_;
};

}  // namespace tokenyard
