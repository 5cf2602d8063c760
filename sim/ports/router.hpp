#pragma once
// What a router is: it says which replica gets a request, and does nothing else.

#include <cstdint>
#include <memory>
#include <span>

#include "sim/kernel/time.hpp"
#include "sim/ports/ids.hpp"
#include "sim/ports/parameters.hpp"
#include "sim/ports/request.hpp"

namespace tokenyard {

/// What a router may ask, at the instant of a choice.
class RoutingContext {
 public:
  virtual ~RoutingContext() = default;

  /// Those to choose from, ascending; at least one. Failed ones are not among them.
  virtual std::span<const ReplicaId> candidates() const = 0;

  /// Requests sent there that have not left it.
  virtual std::int64_t outstanding_requests(ReplicaId replica) = 0;
  /// The tokens of their prompts, and what they have produced there and before.
  virtual std::int64_t outstanding_tokens(ReplicaId replica) = 0;
  /// How many tokens at the beginning of the prompt are in its prefix cache; 0 where it has none.
  virtual std::int64_t known_prefix_tokens(ReplicaId replica, const Request& request) = 0;
};

/// Contract: the same calls give the same answers. No clock, no I/O, no globals, no hash order. One
/// object serves one pool of replicas in one run, from one thread.
class Router {
 public:
  virtual ~Router() = default;

  /// One of the candidates.
  virtual ReplicaId choose(const Request& request, RoutingContext& context) = 0;
};

/// A row of the list of routers.
struct RouterEntry {
  const char* name;
  const char* summary;
  /// `seed` feeds those who draw.
  std::unique_ptr<Router> (*make)(Parameters& parameters, std::uint64_t seed);
};

}  // namespace tokenyard
