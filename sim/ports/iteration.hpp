#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sim/kernel/time.hpp"
#include "sim/ports/cost_model.hpp"
#include "sim/ports/ids.hpp"

namespace tokenyard {

/// One sequence's part in an iteration.
struct Slot {
  RequestId request{};
  std::int64_t computed = 0;    ///< tokens already in the KV cache when the iteration begins
  std::int64_t new_tokens = 0;  ///< tokens computed now: a prompt, a chunk, or 1 in decode
  std::int64_t generated = 0;   ///< output tokens produced before this iteration
  bool prefill = false;         ///< prompt or recomputed tokens, as opposed to one decode token
  bool yields = false;          ///< the iteration ends with an output token of this sequence
  bool padding = false;         ///< a finished member of a static batch: charged, yields nothing
  std::span<const BlockId> blocks;  ///< its block table; valid while the iteration is in flight
};

/// What the scheduler decided: the batch, in ranking order, and what it weighs.
/// Owned by the scheduler, which keeps it unchanged until a pass has taken its end.
struct Iteration {
  IterationId id{};
  Time begun = kOrigin;
  std::vector<Slot> slots;
  IterationLoad load;

  bool empty() const { return slots.empty(); }
};

/// What became of one slot.
struct SlotOutcome {
  bool finished = false;  ///< the token just yielded is the sequence's last
};

}  // namespace tokenyard
