#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "sim/ports/block_hash.hpp"
#include "sim/ports/ids.hpp"
#include "sim/ports/iteration.hpp"
#include "sim/server/block_pool.hpp"

namespace tokenyard {

/// A sequence's KV blocks in token order.
using BlockTable = std::vector<BlockId>;

/// Whether blocks can be had at once, when others give theirs up, or never from this pool.
enum class Allocation : std::uint8_t { now, later, never };

/// Paged KV memory after PagedAttention (Kwon et al., SOSP 2023, section 4): a pool of equal blocks
/// handed out with reference counts, shared between sequences, copied on a first write, and found
/// again by content after they were freed. It knows nothing of policies, executors or time. Not
/// thread-safe. Every operation is O(1) a block and, once the pool has been used, takes no memory
/// from the heap beyond the tables' own. A large pool costs no memory until its blocks are used.
///
/// Invariant I2: free + held + draining = total, where held counts each block in use once, however
/// shared, and those that were pledged, and draining those that only copies to the host still read.
class BlockManager {
 public:
  /// `block_size` (tokens a block) is at least 1; a pool may have no blocks.
  BlockManager(std::int64_t total_blocks, std::int64_t block_size);

  std::int64_t total() const { return pool_.total(); }
  std::int64_t free() const { return pool_.free() - pledged_; }
  std::int64_t held() const { return held_; }
  std::int64_t draining() const { return draining_; }
  /// Blocks that stand in several tables.
  std::int64_t shared() const { return shared_; }
  /// Blocks more that would be held if no table shared any.
  std::int64_t saved() const { return entries_ - held_; }
  /// Free blocks whose content can still be found.
  std::int64_t cached() const { return pool_.cached(); }
  std::int64_t block_size() const { return block_size_; }

  /// Blocks that hold `tokens` tokens.
  std::int64_t blocks_for(std::int64_t tokens) const {
    return (tokens + block_size_ - 1) / block_size_;
  }

  /// Whether `blocks` blocks can be had while `spare` stay free.
  Allocation can_allocate(std::int64_t blocks, std::int64_t spare = 0) const;

  /// Extends `table` until it has `blocks` blocks; all or nothing. Returns whether it did.
  bool grow(BlockTable& table, std::int64_t blocks);
  /// Extends `table` by one block. Precondition: one is free.
  void append(BlockTable& table) { table.push_back(take()); }

  /// Counts `blocks` free blocks as those of a table that nobody reads yet: which they are is left
  /// open until `redeem` puts them there, or `withdraw` gives them up. Precondition: they are free.
  void pledge(std::int64_t blocks) { count_pledged(blocks); }
  void redeem(BlockTable& table, std::int64_t blocks);
  void withdraw(std::int64_t blocks) { count_pledged(-blocks); }

  /// Fills the empty `table` with `blocks` blocks of which the first are `found` (of a prefix, see
  /// `find_prefix`); all or nothing. Returns whether it did.
  bool start(BlockTable& table, std::span<const BlockId> found, std::int64_t blocks);

  /// A second table over the first `blocks` blocks of `table`: each gains a reference.
  BlockTable fork(const BlockTable& table, std::size_t blocks);
  BlockTable fork(const BlockTable& table) { return fork(table, table.size()); }

  /// Appends `block`, which is in use, to `table`: it gains a reference.
  void share(BlockTable& table, BlockId block);

  /// Gives up the references of `table` and empties it; blocks without a reference become free,
  /// the last of the table first, so that the end of a prefix is forgotten before its beginning.
  void release(BlockTable& table);

  bool is_shared(BlockId block) const { return pool_[block].references > 1; }

  /// Makes the block at `position` the table's own before it is written: a shared one is replaced
  /// by a free block, and the copy that this takes is returned. A block that a copy to the host
  /// still reads counts as shared. Precondition: where it is shared, a block is free; else its
  /// content has no name.
  std::optional<BlockCopy> make_writable(BlockTable& table, std::size_t position);

  /// From now on the references of `table` are those of a copy to the host: a block nobody else
  /// refers to drains, which is neither held nor free.
  void start_draining(const BlockTable& table);
  /// Gives up the draining references of `table` and empties it.
  void finish_draining(BlockTable& table);

  /// Names the content of a full block in use, so that it can be found, also after it was freed and
  /// until it is used anew. Nobody writes it from then on. `kNoHash` names nothing.
  void seal(BlockId block, BlockHash content) { pool_.seal(block, content); }
  /// Looks up the blocks of the longest known beginning of `contents` into `found` (emptied first).
  /// Takes nothing. The blocks stay findable until the next block is taken.
  void find_prefix(std::span<const BlockHash> contents, std::vector<BlockId>& found) const;
  /// How many of `blocks` are free now.
  std::int64_t count_free(std::span<const BlockId> blocks) const;
  /// Forgets all contents, unless a block is in use. Returns whether it did.
  bool forget_contents();

  /// Counts how many held blocks would no longer be held if several tables were given up: call
  /// `begin_tally`, then `tally` for each table; it returns what that table adds. The blocks `kept`
  /// do not count.
  void begin_tally(std::span<const BlockId> kept = {});
  std::int64_t tally(const BlockTable& table);

  /// Counts the blocks again from all tables in use, those of copies among them, and compares (the
  /// second half of invariant I2).
  void audit(std::span<const BlockTable* const> tables) const;

 private:
  /// The next free block, in one table from now on.
  BlockId take() {
    const BlockId block = pool_.take();
    pool_[block].references = 1;
    ++entries_;
    ++held_;
    return block;
  }
  void count_pledged(std::int64_t blocks) {
    pledged_ += blocks;
    held_ += blocks;
    entries_ += blocks;
  }
  void refer(BlockId block);
  void change(BlockId block, int references, int draining);

  BlockPool pool_;
  std::int64_t block_size_;
  std::int64_t held_ = 0;
  std::int64_t draining_ = 0;
  std::int64_t shared_ = 0;
  std::int64_t entries_ = 0;  // references that are not draining
  std::int64_t pledged_ = 0;  // of both
  std::vector<BlockId> tallied_;
  std::vector<std::uint32_t> tallies_;  // by block; how often it was tallied
};

}  // namespace tokenyard
