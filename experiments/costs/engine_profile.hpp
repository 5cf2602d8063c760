#pragma once

#include <functional>

#include "experiments/compose.hpp"
#include "experiments/costs/profile.hpp"

namespace tokenyard {

/// What a profile of the machine's engine has to cover: its limits and its KV pool. Throws an
/// `InputError` for a context in which nothing can be measured.
ProfileLimits profile_limits(const Machine& machine);

/// Takes the profile of the machine's engine (`take_profile`), on the wall clock. Whatever else the
/// computer does is measured too. Precondition: it has an engine, which nothing else uses.
Profile profile_engine(const Machine& machine, ProfilePlan plan,
                       const std::function<void(std::int64_t done, std::int64_t of)>& told);

}  // namespace tokenyard
