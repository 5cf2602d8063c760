#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sim/ports/iteration.hpp"
#include "sim/server/block_manager.hpp"
#include "sim/server/live_table.hpp"

namespace tokenyard {

/// Blocks that `width` sequences of `tokens` tokens each may come to need: they share the full
/// blocks of the prompt and nothing else.
constexpr std::int64_t lifetime_blocks(std::int64_t width, std::int64_t prompt_tokens,
                                       std::int64_t tokens, std::int64_t block_size) {
  const std::int64_t each = (tokens + block_size - 1) / block_size;
  return each + (width - 1) * (each - prompt_tokens / block_size);
}

/// The device memory of a request: how many blocks it needs to step on, and taking and giving them
/// back. Its sequences step together, so one count of computed tokens holds for all. They share
/// the blocks of the prompt, in which the first alone computes; from then on each has a table of
/// its own, and copies a shared block before it writes there (Kwon et al., section 4.4). After an
/// eviction prompt and outputs may be computed again at once. Not thread-safe.
class RequestMemory {
 public:
  /// `leaves_open`: nobody looks at tables, so that blocks of requests of one sequence are merely
  /// counted (unless some are found by content, reserved or copied).
  RequestMemory(BlockManager& blocks, bool prefix_caching, bool leaves_open)
      : blocks_(blocks),
        prefix_caching_(prefix_caching),
        leaves_open_(leaves_open && !prefix_caching) {}

  /// Looks up how much of the request is known from others before it enters; the answer is kept for
  /// `missing_blocks` and `extend`. At least one token is left to compute. In tokens; O(blocks).
  std::int64_t find_prefix(const LiveRequest& live);
  /// The blocks that the last `find_prefix` found.
  std::span<const BlockId> found() const { return found_; }

  /// How many tokens of a prompt, given by its contents, `find_prefix` would find for a newcomer.
  std::int64_t known_prefix(std::span<const BlockHash> contents, std::int64_t prompt_tokens);

  /// Where the tables of its sequences part when prompt and outputs are computed at once: behind
  /// the full blocks of the prompt (a partly filled one cannot be copied before it is computed). In
  /// tokens.
  std::int64_t own_from(const LiveRequest& live) const {
    return live.view.prompt_tokens / blocks_.block_size() * blocks_.block_size();
  }

  /// Free blocks that it takes until each sequence covers `tokens` tokens, with what it reserves.
  std::int64_t missing_blocks(const LiveRequest& live, std::int64_t tokens) const;
  /// Takes them. Copies that first writes to shared blocks need are added to `copies`. A request
  /// that enters starts behind the prefix found. Precondition: `missing_blocks` are free.
  void extend(LiveRequest& live, std::int64_t tokens, std::vector<BlockCopy>& copies);

  /// One block more for the table of a request of one sequence, as `extend` takes it when decoding
  /// crosses into it. Keeps no counts of tokens. Precondition: `missing_blocks` are free.
  void append_block(LiveRequest& live);
  /// Gives the table of a request of one sequence the blocks that it lacks for `tokens` tokens,
  /// which are reserved for it or pledged.
  void fulfil(LiveRequest& live, std::int64_t tokens);
  /// Whether blocks are counted and left open.
  bool leaves_open() const { return leaves_open_; }
  /// Chooses the blocks that were left open for it.
  void settle(LiveRequest& live);
  /// Counts `tokens` computed tokens ahead of the `recount` of those that have them.
  void note_computed(std::int64_t tokens) { stored_tokens_ += tokens; }

  /// Device blocks that a request on the host needs to come back and to make its next step.
  std::int64_t blocks_to_return(const LiveRequest& live) const;
  /// Reserves what `blocks_to_return` counts beyond the tables, which stand already.
  void reserve_for_return(LiveRequest& live, std::int64_t blocks);

  /// Notes the content of the block that output has just filled to its end. One that does not come
  /// next after those known is left out: where sequences were several, or a block was filled
  /// unnamed, what follows stays without a name. `kNoHash` is nothing.
  void note_filled(LiveRequest& live, BlockHash content) const;
  /// Books the tokens of an iteration: gives the other sequences their tables when the prompt is
  /// complete, and names the content of filled blocks.
  void computed(LiveRequest& live);
  /// The same for one decoded token of a request of one sequence.
  void decoded_one(LiveRequest& live) {
    seal(live);
    ++stored_tokens_;
    ++live.stored_tokens;
  }
  /// Names the content of its filled blocks, as far as it is known, so that others find it.
  void seal(LiveRequest& live) {
    if (prefix_caching_) seal_filled(live);
  }
  /// Lets sequence i go on from what the parent of `outcomes[i]` holds.
  void follow_parents(LiveRequest& live, std::span<const SlotOutcome> outcomes);
  /// Gives up the blocks of the sequences whose outcome is finished; not those of the last.
  void end_finished(LiveRequest& live, std::span<const SlotOutcome> outcomes);
  /// Gives up all its device blocks.
  void release(LiveRequest& live);
  /// Keeps the counts after its tables or its computed tokens have changed.
  void recount(LiveRequest& live);

  /// Blocks it would give back were it the next to go (see `BlockManager::tally`).
  std::int64_t tally(const LiveRequest& live);

  /// Distinct blocks in the tables of its sequences.
  std::int64_t distinct_blocks(const LiveRequest& live, BlockTable Sequence::*table) const;

  /// Places for tokens, in blocks in use, that hold none: internal fragmentation. A partly filled
  /// block counts for each table it stands in.
  std::int64_t tokens_unused() const {
    return (blocks_.held() + blocks_.saved()) * blocks_.block_size() - stored_tokens_;
  }

 private:
  std::int64_t growth(const LiveRequest& live, std::int64_t tokens,
                      BlockTable Sequence::*table) const;
  std::int64_t lifetime(const LiveRequest& live) const;
  std::int64_t blocks_to_enter(const LiveRequest& live, std::int64_t tokens) const;
  void pledge(LiveRequest& live, std::int64_t blocks);
  void grow(LiveRequest& live, BlockTable& table, std::int64_t blocks);
  void seal_filled(LiveRequest& live);
  void return_reserved(LiveRequest& live, std::int64_t most);
  BlockHash content(const LiveRequest& live, std::size_t block) const;

  BlockManager& blocks_;
  bool prefix_caching_;
  bool leaves_open_;
  std::int64_t stored_tokens_ = 0;
  std::vector<BlockId> found_;
  std::vector<BlockId> asked_;
  std::vector<BlockHash> contents_;
  mutable std::vector<BlockId> distinct_;
};

}  // namespace tokenyard
