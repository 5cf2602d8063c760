#include "sim/server/block_pool.hpp"

#include "sim/kernel/invariant.hpp"

namespace tokenyard {

BlockPool::~BlockPool() {
  blank_.clear();
  cached_.clear();
  by_content_.clear();
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
  if (content == block.content || content == kNoHash) return;
  invariant(block.content == kNoHash, "I2 blocks are conserved",
            "block {} is sealed again with another content", index(id));
  if (2 * by_content_.size() >= buckets_.size()) grow_index();
  block.content = content;
  PooledBlock& first = *by_content_.insert(block).first;
  if (&first == &block) return;
  block.twin_before = first.twin_before;
  block.twin_after = &first;
  first.twin_before->twin_after = &block;
  first.twin_before = &block;
}

void BlockPool::grow_index() {
  std::vector<Index::bucket_type> more(2 * buckets_.size());
  by_content_.rehash({more.data(), more.size()});
  buckets_.swap(more);
}

std::optional<BlockId> BlockPool::find(BlockHash content) const {
  const auto first = by_content_.find(content);
  if (first == by_content_.end()) return std::nullopt;
  return first->id;
}

void BlockPool::forget(PooledBlock& block) {
  PooledBlock& next = *block.twin_after;
  next.twin_before = block.twin_before;
  block.twin_before->twin_after = &next;
  if (static_cast<IndexHook&>(block).is_linked()) {
    by_content_.erase(by_content_.iterator_to(block));
    if (&next != &block) by_content_.insert(next);
  }
  block.twin_before = block.twin_after = &block;
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
