#include "sim/kernel/invariant.hpp"

namespace tokenyard {

void break_invariant(std::string_view name, const std::string& details) {
  throw InvariantBroken(fmt::format("invariant broken: {}: {}", name, details));
}

}  // namespace tokenyard
