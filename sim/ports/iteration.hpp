#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sim/kernel/time.hpp"
#include "sim/ports/block_hash.hpp"
#include "sim/ports/cost_model.hpp"
#include "sim/ports/ids.hpp"
#include "sim/ports/repeat.hpp"

namespace tokenyard {

/// One sequence's part in an iteration.
struct Slot {
  RequestId request{};
  std::uint32_t place = 0;      ///< a small number of the request's own while it lives, used again
                                ///< after that
  std::int32_t sequence = 0;    ///< which of the request's sequences, from 0
  std::int32_t width = 1;       ///< how many sequences the request still has
  std::int64_t computed = 0;    ///< tokens already in the KV cache when the iteration begins
  std::int64_t new_tokens = 0;  ///< tokens computed now: a prompt, a chunk, or 1 in decode; 0 for a
                                ///< further sequence that yields from the prompt of the first
  std::int64_t generated = 0;   ///< output tokens produced before this iteration
  bool prefill = false;         ///< prompt or recomputed tokens, as opposed to one decode token
  bool yields = false;          ///< the iteration ends with an output token of this sequence
  bool beam = false;            ///< these are beams: each outcome names its parent
  bool padding = false;         ///< a finished member of a static batch: charged, yields nothing
  /// Its block table, for executors that read it; valid while the iteration is in flight. Where an
  /// iteration is repeated, the blocks for the times behind the first may be missing.
  std::span<const BlockId> blocks;
};
static_assert(sizeof(Slot) <= 64);  // a line of the cache

/// `from_replica`: from the device of another replica; the loop carries these out, and executors do
/// not see them.
enum class CopyDirection : std::uint8_t { to_host, to_device, from_replica };

/// A copy of one request's KV, block by block: the i-th device block to or from the i-th host
/// block (or from that block of another replica). The tables stay valid, and both sides' blocks
/// taken, until a pass has taken its end.
struct KvCopy {
  CopyId id{};
  RequestId request{};
  CopyDirection direction = CopyDirection::to_host;
  std::span<const BlockId> device_blocks;
  std::span<const BlockId> host_blocks;
};

/// A shared block that is about to be written: its content goes to a block of the writer's own
/// (copy-on-write), on the device, before the iteration computes.
struct BlockCopy {
  BlockId from{};
  BlockId to{};
};

/// What the scheduler decided: the batch, in ranking order (the sequences of a request together),
/// what it weighs, and the copies that begin with it. A decision may be copies alone; then it has
/// no end of its own.
/// Owned by the scheduler, which keeps it unchanged until a pass has taken its end.
struct Iteration {
  IterationId id{};
  Time begun = kOrigin;
  std::vector<Slot> slots;
  /// The slots from this one on, so many, are those of requests of one sequence that were in the
  /// iteration before and decode on.
  std::size_t kept_from = 0;
  std::size_t kept = 0;
  std::vector<BlockCopy> block_copies;
  std::vector<KvCopy> copies;
  IterationLoad load;
  Repeat repeat;

  bool empty() const { return slots.empty() && copies.empty(); }
};

/// What became of one slot, where an iteration was repeated: the last time.
struct SlotOutcome {
  bool finished = false;     ///< the token just yielded is the sequence's last
  std::int32_t parent = -1;  ///< beam search: the sequence that this one now continues; -1 = itself
  /// The content of the block whose last place this iteration filled before it yielded, where the
  /// executor knows it; also after an eviction, when the tokens are computed again.
  BlockHash block_hash = kNoHash;

  friend bool operator==(const SlotOutcome&, const SlotOutcome&) = default;
};

}  // namespace tokenyard
