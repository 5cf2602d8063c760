#include "sim/server/block_pool.hpp"

#include "sim/kernel/invariant.hpp"

namespace tokenyard {

BlockPool::~BlockPool() {
  cached_.clear();
  by_content_.clear();
}

BlockId BlockPool::take_other() {
  if (static_cast<std::int64_t>(uses_.size()) < total_) {
    uses_.emplace_back();
    blank_.reserve(uses_.capacity());  // so that giving back takes nothing from the heap
    return BlockId{static_cast<std::uint32_t>(uses_.size() - 1)};
  }
  invariant(!cached_.empty(), "I2 blocks are conserved", "a block was taken from a full pool");
  BlockContent& block = cached_.front();
  cached_.pop_front();
  forget(block);
  return block.id;
}

void BlockPool::take(BlockId block) {
  invariant(uses_[index(block)].named != 0, "I2 blocks are conserved",
            "free block {} is taken for a content it has not", index(block));
  cached_.erase(cached_.iterator_to(contents_[index(block)]));
}

void BlockPool::seal(BlockId id, BlockHash content) {
  BlockUse& use = uses_[index(id)];
  invariant(use.references > 0, "I2 blocks are conserved", "block {} is sealed while free",
            index(id));
  if (content == kNoHash) return;
  while (contents_.size() <= index(id)) {
    const auto next = static_cast<std::uint32_t>(contents_.size());
    contents_.emplace_back().id = BlockId{next};
  }
  BlockContent& block = contents_[index(id)];
  if (content == block.content) return;
  invariant(block.content == kNoHash, "I2 blocks are conserved",
            "block {} is sealed again with another content", index(id));
  use.named = 1;
  if (2 * by_content_.size() >= buckets_.size()) grow_index();
  block.content = content;
  BlockContent& first = *by_content_.insert(block).first;
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

void BlockPool::forget(BlockContent& block) {
  BlockContent& next = *block.twin_after;
  next.twin_before = block.twin_before;
  block.twin_before->twin_after = &next;
  if (static_cast<IndexHook&>(block).is_linked()) {
    by_content_.erase(by_content_.iterator_to(block));
    if (&next != &block) by_content_.insert(next);
  }
  block.twin_before = block.twin_after = &block;
  block.content = kNoHash;
  uses_[index(block.id)].named = 0;
}

void BlockPool::forget_contents() {
  while (!cached_.empty()) {
    BlockContent& block = cached_.front();
    cached_.pop_front();
    forget(block);
    blank_.push_back(block.id);
  }
}

}  // namespace tokenyard
