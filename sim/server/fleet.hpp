#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "sim/kernel/clock.hpp"
#include "sim/ports/router.hpp"
#include "sim/ports/workload.hpp"
#include "sim/server/replica.hpp"
#include "sim/server/settings.hpp"

namespace tokenyard {

/// A replica fails at `at`: what it computes then, and all KV it holds, is lost. At `back` it is
/// there again, empty; kNever: it is not.
struct Outage {
  ReplicaId replica{};
  Time at = kOrigin;
  Time back = kNever;
};

struct FleetSettings {
  std::size_t replicas = 1;
  /// Where positive, the first so many only prefill, and the others decode (disaggregation):
  /// below `replicas`.
  std::size_t prefill_replicas = 0;
  std::vector<Outage> outages;  ///< those of one replica do not overlap
};

/// Both owned by the composition and made for one run.
struct FleetRouters {
  Router& arrivals;
  Router& handoffs;  ///< chooses where a request goes to decode
};

/// How long it takes to bring so many KV blocks from one replica to another, with the link to
/// itself.
using KvTransferTime = std::function<Duration(std::int64_t blocks, ReplicaId from, ReplicaId to)>;

/// The loop over several servers behind a router: one clock, one order of events (time, kind, key),
/// and `settings.replicas` schedulers with these `server` settings each. `make` gives each its
/// policy and executor, again when it comes back after an outage. Runs until all requests have
/// ended, as `serve` does; with one replica and no outage it does what `serve` does. Returns how
/// often a scheduler was asked.
///
/// - The router chooses when a request arrives, by what the replicas are at that instant; it waits
///   for the next boundary of its replica as it would at a single server.
/// - When a replica fails, its requests go through the router to others and compute their KV again,
///   as after an eviction; what they have produced stays produced. Where nobody is up they wait.
/// - With disaggregation a request goes to a prefill replica; when it has yielded its first token
///   there, the second router sends it to a decode replica, in whose ranking it waits as one that
///   is swapped out does. When its turn comes there and blocks are free, they are taken, and its KV
///   is copied (Zhong et al., "DistServe", OSDI 2024, section 4.3, pull): one copy after another
///   from each prefill replica, which keeps the blocks until the copy has ended. A decode replica
///   that lacks KV, because it evicted it or its source has failed, computes it itself.
std::int64_t serve_fleet(const FleetSettings& settings, const ServerSettings& server,
                         const ReplicaPorts& ports, const FleetRouters& routers,
                         const std::function<ReplicaParts(ReplicaId)>& make,
                         const KvTransferTime& transfer_time, Clock& clock, Workload& workload);

}  // namespace tokenyard
