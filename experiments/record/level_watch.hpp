#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "sim/ports/policy.hpp"

namespace tokenyard {

/// Live requests by queue level, from the best; empty while the policy has shown no level.
using LevelCounts = std::vector<std::int64_t>;

/// The same policy, which also counts its live requests by `Policy::level`. It decides nothing:
/// every call is passed on, and a level is asked for when a request is given a place in the
/// ranking, the only way in which it can change levels. O(1) a change. `counts` is owned by the
/// caller and outlives the policy.
std::unique_ptr<Policy> watch_levels(std::unique_ptr<Policy> policy, LevelCounts& counts);

}  // namespace tokenyard
