#include "sim/server/block_pool.hpp"

#include "sim/kernel/invariant.hpp"

namespace tokenyard {

BlockPool::~BlockPool() {
  blank_.clear();
  cached_.clear();
}

PooledBlock& BlockPool::take() {
  if (!blank_.empty()) {
    PooledBlock& block = blank_.front();
    blank_.pop_front();
    return block;
  }
  if (static_cast<std::int64_t>(blocks_.size()) < total_) {
    PooledBlock& block = blocks_.emplace_back();
    block.id = BlockId{static_cast<std::uint32_t>(blocks_.size() - 1)};
    return block;
  }
  invariant(!cached_.empty(), "I2 blocks are conserved", "a block was taken from a full pool");
  PooledBlock& block = cached_.front();
  cached_.pop_front();
  forget(block);
  return block;
}

void BlockPool::take(PooledBlock& block) {
  List& list = block.content == kNoHash ? blank_ : cached_;
  list.erase(list.iterator_to(block));
}

void BlockPool::give_back(PooledBlock& block) {
  if (block.content == kNoHash) {
    blank_.push_front(block);
  } else {
    cached_.push_back(block);
  }
}

void BlockPool::seal(BlockId id, BlockHash content) {
  PooledBlock& block = (*this)[id];
  invariant(block.references > 0, "I2 blocks are conserved", "block {} is sealed while free",
            index(id));
  if (block.content != kNoHash) return;
  block.content = content;
  PooledBlock** last = &by_content_.try_emplace(static_cast<std::uint64_t>(content)).first->second;
  while (*last != nullptr) last = &(*last)->twin;
  *last = &block;
}

std::optional<BlockId> BlockPool::find(BlockHash content) const {
  const auto found = by_content_.find(static_cast<std::uint64_t>(content));
  if (found == by_content_.end()) return std::nullopt;
  return found->second->id;
}

void BlockPool::forget(PooledBlock& block) {
  const auto found = by_content_.find(static_cast<std::uint64_t>(block.content));
  PooledBlock** at = &found->second;
  while (*at != &block) at = &(*at)->twin;
  *at = block.twin;
  if (found->second == nullptr) by_content_.erase(found);
  block.twin = nullptr;
  block.content = kNoHash;
}

void BlockPool::forget_contents() {
  while (!cached_.empty()) {
    PooledBlock& block = cached_.front();
    cached_.pop_front();
    forget(block);
    blank_.push_front(block);
  }
}

}  // namespace tokenyard
