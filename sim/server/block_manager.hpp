#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sim/ports/ids.hpp"

namespace tokenyard {

/// A sequence's KV blocks in token order.
using BlockTable = std::vector<BlockId>;

/// Paged KV memory after PagedAttention (Kwon et al., SOSP 2023, §4): a pool of equal blocks,
/// handed out with reference counts. It knows nothing of policies, executors or time. Not
/// thread-safe. A large pool costs no memory until its blocks are used.
///
/// Invariant I2: free + held + draining = total, where held counts each block in use once, however
/// shared, and draining those that a copy to the host still reads.
class BlockManager {
 public:
  /// `block_size` (tokens a block) is at least 1; a pool may have no blocks.
  BlockManager(std::int64_t total_blocks, std::int64_t block_size);

  std::int64_t total() const { return total_; }
  std::int64_t free() const { return total_ - held_ - draining_; }
  std::int64_t held() const { return held_; }
  std::int64_t draining() const { return draining_; }
  std::int64_t block_size() const { return block_size_; }

  /// Blocks that hold `tokens` tokens.
  std::int64_t blocks_for(std::int64_t tokens) const {
    return (tokens + block_size_ - 1) / block_size_;
  }

  /// Extends `table` until it has `blocks` blocks; all or nothing. Returns whether it did. O(1) a
  /// block.
  bool grow(BlockTable& table, std::int64_t blocks);

  /// A second table over the same blocks: each gains a reference.
  BlockTable fork(const BlockTable& table);

  /// Gives up the references of `table` and empties it; blocks without a reference become free,
  /// the last of the table first.
  void release(BlockTable& table);

  /// From now on the blocks of `table` are draining: nobody's, and not yet free.
  void start_draining(const BlockTable& table);
  /// Frees the draining blocks of `table` and empties it.
  void finish_draining(BlockTable& table);

  /// Counts the blocks again from all tables in use and compares (the second half of invariant I2).
  void audit(std::span<const BlockTable* const> tables) const;

 private:
  BlockId take();

  std::int64_t total_;
  std::int64_t block_size_;
  std::int64_t held_ = 0;
  std::int64_t draining_ = 0;
  std::vector<std::uint32_t> references_;  // by block, for the blocks used so far
  std::vector<BlockId> recycled_;
};

}  // namespace tokenyard
