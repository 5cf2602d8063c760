#include "sim/server/block_manager.hpp"

#include "sim/kernel/invariant.hpp"

namespace tokenyard {

BlockManager::BlockManager(std::int64_t total_blocks, std::int64_t block_size)
    : total_(total_blocks), block_size_(block_size) {
  invariant(total_blocks >= 0 && block_size >= 1, "I2 blocks are conserved",
            "a pool of {} blocks of {} tokens", total_blocks, block_size);
}

BlockId BlockManager::take() {
  ++held_;
  if (!recycled_.empty()) {
    const BlockId block = recycled_.back();
    recycled_.pop_back();
    references_[index(block)] = 1;
    return block;
  }
  references_.push_back(1);
  return BlockId{static_cast<std::uint32_t>(references_.size() - 1)};
}

bool BlockManager::grow(BlockTable& table, std::int64_t blocks) {
  const std::int64_t missing = blocks - static_cast<std::int64_t>(table.size());
  if (missing > free()) return false;
  for (std::int64_t i = 0; i < missing; ++i) table.push_back(take());
  return true;
}

BlockTable BlockManager::fork(const BlockTable& table) {
  for (const BlockId block : table) {
    invariant(references_.at(index(block)) > 0, "I2 blocks are conserved",
              "block {} is shared while free", index(block));
    ++references_[index(block)];
  }
  return table;
}

void BlockManager::release(BlockTable& table) {
  for (auto block = table.rbegin(); block != table.rend(); ++block) {
    auto& references = references_.at(index(*block));
    invariant(references > 0, "I2 blocks are conserved", "block {} is freed twice", index(*block));
    if (--references == 0) {
      recycled_.push_back(*block);
      --held_;
    }
  }
  table.clear();
}

void BlockManager::start_draining(const BlockTable& table) {
  for (const BlockId block : table) {
    invariant(references_.at(index(block)) == 1, "I2 blocks are conserved",
              "block {} drains with {} references", index(block), references_[index(block)]);
  }
  held_ -= static_cast<std::int64_t>(table.size());
  draining_ += static_cast<std::int64_t>(table.size());
}

void BlockManager::finish_draining(BlockTable& table) {
  draining_ -= static_cast<std::int64_t>(table.size());
  held_ += static_cast<std::int64_t>(table.size());
  release(table);
}

void BlockManager::audit(std::span<const BlockTable* const> tables) const {
  std::vector<std::uint32_t> counted(references_.size(), 0);
  for (const BlockTable* table : tables) {
    for (const BlockId block : *table) ++counted.at(index(block));
  }
  std::int64_t held = 0;
  for (std::size_t i = 0; i < counted.size(); ++i) {
    invariant(counted[i] == references_[i], "I2 blocks are conserved",
              "block {} has {} references but stands in {} tables", i, references_[i], counted[i]);
    held += counted[i] > 0 ? 1 : 0;
  }
  const auto recycled = static_cast<std::int64_t>(recycled_.size());
  invariant(
      held == held_ + draining_ && held + recycled == static_cast<std::int64_t>(references_.size()),
      "I2 blocks are conserved", "{} blocks in tables, {} counted as held, {} recycled of {}", held,
      held_, recycled, references_.size());
}

}  // namespace tokenyard
