#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "sim/kernel/input_error.hpp"
#include "traces/trace.hpp"
#include "traces/workload_plan.hpp"

namespace tokenyard {

/// Draws the workload. The same plan and seed give the same trace; the random numbers of a request
/// depend on the seed and its own number alone, so that a longer plan only appends. The gaps are
/// rounded to whole nanoseconds each. Throws `InputError`.
Trace generate(const WorkloadPlan& plan, std::uint64_t seed);

/// Makes everything that the plan names without drawing; `refuse` is told the key and the fault.
void check_workload_plan(
    const WorkloadPlan& plan,
    const std::function<void(std::string_view key, const InputError& error)>& refuse);

}  // namespace tokenyard
