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

enum class CopyDirection : std::uint8_t { to_host, to_device };

/// A copy of one request's KV, block by block: the i-th device block to or from the i-th host
/// block. The tables stay valid, and both sides' blocks taken, until a pass has taken its end.
struct KvCopy {
  CopyId id{};
  RequestId request{};
  CopyDirection direction = CopyDirection::to_host;
  std::span<const BlockId> device_blocks;
  std::span<const BlockId> host_blocks;
};

/// What the scheduler decided: the batch, in ranking order, what it weighs, and the copies that
/// begin with it. A decision may be copies alone; then it has no end of its own.
/// Owned by the scheduler, which keeps it unchanged until a pass has taken its end.
struct Iteration {
  IterationId id{};
  Time begun = kOrigin;
  std::vector<Slot> slots;
  std::vector<KvCopy> copies;
  IterationLoad load;

  bool empty() const { return slots.empty() && copies.empty(); }
};

/// What became of one slot.
struct SlotOutcome {
  bool finished = false;  ///< the token just yielded is the sequence's last
};

}  // namespace tokenyard
