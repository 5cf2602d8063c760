#pragma once

#include <boost/intrusive/list.hpp>
#include <cstdint>
#include <deque>
#include <memory_resource>
#include <optional>
#include <unordered_map>

#include "sim/ports/block_hash.hpp"
#include "sim/ports/ids.hpp"

namespace tokenyard {

/// What the pool knows of one block that has ever been used.
struct PooledBlock : boost::intrusive::list_base_hook<> {
  BlockId id{};
  std::uint32_t references = 0;
  std::uint32_t draining = 0;  ///< of these, references of copies to the host
  std::uint32_t tallied = 0;   ///< scratch of `BlockManager::tally`
  BlockHash content = kNoHash;
  PooledBlock* twin = nullptr;  ///< the next block with the same content
};

/// The free blocks in the order in which they are used again, and the contents by which blocks are
/// found. First go freed blocks without a named content, the last freed first; then blocks never
/// used; then those that can still be found, the longest free first (vLLM's eviction order).
/// Taking, giving back, and taking a found block out of the middle are O(1). Not thread-safe.
class BlockPool {
 public:
  explicit BlockPool(std::int64_t total) : total_(total) {}
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;
  ~BlockPool();

  std::int64_t total() const { return total_; }
  std::int64_t free() const {
    return total_ - static_cast<std::int64_t>(blocks_.size() - blank_.size() - cached_.size());
  }
  std::int64_t cached() const { return static_cast<std::int64_t>(cached_.size()); }

  PooledBlock& operator[](BlockId block) { return blocks_[index(block)]; }
  const PooledBlock& operator[](BlockId block) const { return blocks_[index(block)]; }
  const std::deque<PooledBlock>& used() const { return blocks_; }

  /// Takes the next free block; its content is forgotten. Precondition: one is free.
  PooledBlock& take();
  /// Takes this free block with its content.
  void take(PooledBlock& block);
  /// Makes a block free.
  void give_back(PooledBlock& block);

  /// Names the content of a block in use.
  void seal(BlockId block, BlockHash content);
  /// The block that has held `content` for the longest.
  std::optional<BlockId> find(BlockHash content) const;
  /// Forgets the content of every free block.
  void forget_contents();

 private:
  using List = boost::intrusive::list<PooledBlock>;

  void forget(PooledBlock& block);

  std::int64_t total_;
  std::deque<PooledBlock> blocks_;  // those used so far
  List blank_;
  List cached_;
  std::pmr::unsynchronized_pool_resource nodes_;
  std::pmr::unordered_map<std::uint64_t, PooledBlock*> by_content_{&nodes_};  // only looked up
};

}  // namespace tokenyard
