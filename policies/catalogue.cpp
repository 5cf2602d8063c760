#include "policies/catalogue.hpp"

// A further policy is its file and one line here.
#define TOKENYARD_POLICIES(POLICY) \
  POLICY(fcfs)                     \
  POLICY(mlfq)                     \
  POLICY(skip_join_mlfq)           \
  POLICY(srpt)

namespace tokenyard {

#define TOKENYARD_DECLARE(entry) extern const PolicyEntry entry;
TOKENYARD_POLICIES(TOKENYARD_DECLARE)
#undef TOKENYARD_DECLARE

std::span<const PolicyEntry* const> policy_catalogue() {
#define TOKENYARD_ADDRESS(entry) &entry,
  static constexpr const PolicyEntry* kCatalogue[] = {TOKENYARD_POLICIES(TOKENYARD_ADDRESS)};
#undef TOKENYARD_ADDRESS
  return kCatalogue;
}

}  // namespace tokenyard
