#pragma once
// Several servers behind a router, as the settings have them.

#include <cstdint>
#include <functional>

#include "experiments/compose.hpp"
#include "experiments/settings.hpp"
#include "sim/ports/workload.hpp"
#include "sim/server/fleet.hpp"

namespace tokenyard {

/// Whether there is more than a single server that never fails.
bool is_fleet(const Settings& settings);

/// Throws an `InputError`, with the numbers, for roles or failures that the replicas cannot have,
/// and for what a fleet cannot do.
void refuse_bad_fleet(const Settings& settings);

/// How long KV takes from one replica of the machine to another; empty where no request is handed
/// over. Throws an `InputError` where nothing joins them.
KvTransferTime compose_transfer(const Machine& machine);

/// Runs the workload to its end; `make` gives each replica its parts. `seed` feeds the routers.
/// Returns how often a scheduler was asked.
std::int64_t run_fleet(const Machine& machine, const ReplicaPorts& ports,
                       const std::function<ReplicaParts(ReplicaId)>& make, Workload& workload,
                       std::uint64_t seed);

}  // namespace tokenyard
