#pragma once
// The engine's part of putting a run together.

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/engine_model.hpp"
#include "experiments/compose.hpp"
#include "sim/ports/workload.hpp"
#include "sim/server/server_state.hpp"

namespace tokenyard {

/// Loads the weights (or takes those `loaded` already, where they are the same) and fills in what
/// the model implies: the context and the KV pools; without a cost model, one that was measured.
/// Throws `InputError`.
void compose_engine(Machine& machine, std::shared_ptr<EngineModel> loaded);

/// What the engine said in a run: a digest of each request's tokens by dense id, 0 where there are
/// none.
using TokenDigests = std::vector<std::uint64_t>;

/// Runs `view` on the machine's engine, on the machine's clock. `ports` are those of the scheduler
/// but for the observer.
SimulationCounts run_engine(const Machine& machine, TraceView& view, Workload& workload,
                            const ServerPorts& ports, std::uint64_t seed, TokenDigests& digests);

}  // namespace tokenyard
