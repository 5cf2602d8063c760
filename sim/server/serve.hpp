#pragma once

#include <cstdint>

#include "sim/kernel/clock.hpp"
#include "sim/ports/executor.hpp"
#include "sim/ports/observer.hpp"
#include "sim/ports/workload.hpp"
#include "sim/server/scheduler.hpp"

namespace tokenyard {

/// The one loop: live, under a simulated clock and in pure simulation the same (DESIGN §3). Runs
/// until the workload has posted all its arrivals and every request has ended. When nothing runs
/// and nothing ever will, it breaks invariant I10 with an explanation. Returns how often the
/// scheduler was asked.
std::int64_t serve(Scheduler& scheduler, Clock& clock, Workload& workload, Executor& executor,
                   Observer& observer);

}  // namespace tokenyard
