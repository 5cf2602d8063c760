#pragma once

#include <functional>
#include <memory>

#include "experiments/compose.hpp"
#include "experiments/costs/profile.hpp"

namespace tokenyard {

/// The plan with what the machine's engine implies filled in: its source, and as limits those of
/// the machine and its KV pool. Throws an `InputError` for a context in which nothing can be
/// measured. Precondition: the machine has an engine.
ProfilePlan engine_plan(const Machine& machine, ProfilePlan plan);

/// The machine's engine with a KV pool of its own, on the wall clock, to be measured. Nothing else
/// may use the engine during a measurement; between them others may. Its threads then sleep.
/// Refers to the engine. An interrupt is thrown as `Interrupted` by the next measurement.
std::unique_ptr<ProfiledMachine> profiled_engine(const Machine& machine,
                                                 const ProfileLimits& limits);

/// Takes the profile of the machine's engine (`take_profile`). Whatever else the computer does is
/// measured too.
Profile profile_engine(const Machine& machine, const ProfilePlan& plan,
                       const std::function<void(std::int64_t done, std::int64_t of)>& told);

}  // namespace tokenyard
