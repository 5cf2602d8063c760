#pragma once

#include <span>

#include "sim/ports/policy.hpp"

namespace tokenyard {

/// Every policy there is, in the order in which `list policies` shows them.
std::span<const PolicyEntry* const> policy_catalogue();

}  // namespace tokenyard
