#include "sim/server/block_manager.hpp"

#include "sim/kernel/invariant.hpp"

namespace tokenyard {

BlockManager::BlockManager(std::int64_t total_blocks, std::int64_t block_size)
    : pool_(total_blocks), block_size_(block_size) {
  invariant(total_blocks >= 0 && block_size >= 1, "I2 blocks are conserved",
            "a pool of {} blocks of {} tokens", total_blocks, block_size);
}

namespace {

constexpr std::uint32_t kMostReferences = ~std::uint32_t{0} / 2;

}  // namespace

/// Every change of a count goes through here, so the totals follow.
void BlockManager::change(BlockId id, int references, int draining) {
  BlockUse& block = pool_[id];
  const auto count = [&](int sign) {
    const std::uint32_t in_tables = block.references - block.draining;
    entries_ += sign * static_cast<std::int64_t>(in_tables);
    if (in_tables > 0) held_ += sign;
    if (in_tables > 1) shared_ += sign;
    if (in_tables == 0 && block.draining > 0) draining_ += sign;
  };
  count(-1);
  block.references += static_cast<std::uint32_t>(references);
  block.draining = (block.draining + static_cast<std::uint32_t>(draining)) & kMostReferences;
  invariant(block.references <= kMostReferences && block.draining <= block.references,
            "I2 blocks are conserved", "block {} is given up more often than it was taken",
            index(id));
  count(+1);
  if (block.references == 0) pool_.give_back(id);
}

void BlockManager::refer(BlockId id) {
  if (pool_[id].references == 0) pool_.take(id);
  change(id, +1, 0);
}

Allocation BlockManager::can_allocate(std::int64_t blocks, std::int64_t spare) const {
  if (blocks + spare > total()) return Allocation::never;
  return blocks + spare <= free() ? Allocation::now : Allocation::later;
}

bool BlockManager::grow(BlockTable& table, std::int64_t blocks) {
  const std::int64_t missing = blocks - static_cast<std::int64_t>(table.size());
  if (missing > free()) return false;
  if (missing <= 0) return true;
  if (missing == 1) {
    append(table);
    return true;
  }
  const std::size_t before = table.size();
  table.reserve(static_cast<std::size_t>(blocks));
  table.resize(static_cast<std::size_t>(blocks));
  pool_.take(std::span(table).subspan(before));
  entries_ += missing;
  held_ += missing;
  return true;
}

void BlockManager::redeem(BlockTable& table, std::int64_t blocks) {
  withdraw(blocks);
  const bool grown = grow(table, static_cast<std::int64_t>(table.size()) + blocks);
  invariant(grown && pledged_ >= 0, "I2 blocks are conserved",
            "{} blocks are taken that were not pledged", blocks);
}

bool BlockManager::start(BlockTable& table, std::span<const BlockId> found, std::int64_t blocks) {
  invariant(table.empty(), "I2 blocks are conserved", "a table is started twice");
  const auto fresh = blocks - static_cast<std::int64_t>(found.size());
  if (fresh + count_free(found) > free()) return false;
  for (const BlockId block : found) {
    refer(block);
    table.push_back(block);
  }
  return grow(table, blocks);
}

BlockTable BlockManager::fork(const BlockTable& table, std::size_t blocks) {
  BlockTable second;
  second.reserve(blocks);
  for (std::size_t i = 0; i < blocks; ++i) share(second, table.at(i));
  return second;
}

void BlockManager::share(BlockTable& table, BlockId block) {
  invariant(pool_[block].references > 0, "I2 blocks are conserved", "block {} is shared while free",
            index(block));
  change(block, +1, 0);
  table.push_back(block);
}

void BlockManager::release(BlockTable& table) {
  const auto own = static_cast<std::int64_t>(pool_.give_back_own(table));
  entries_ -= own;
  held_ -= own;
  for (auto block = table.rbegin(); block != table.rend(); ++block) {
    invariant(pool_[*block].references > 0, "I2 blocks are conserved", "block {} is freed twice",
              index(*block));
    change(*block, -1, 0);
  }
  table.clear();
}

std::optional<BlockCopy> BlockManager::make_writable(BlockTable& table, std::size_t position) {
  const BlockId shared = table.at(position);
  if (!is_shared(shared)) {
    invariant(!pool_[shared].named, "I2 blocks are conserved",
              "block {} is written though others may find its content", index(shared));
    return std::nullopt;
  }
  const BlockId own = take();
  change(shared, -1, 0);
  table[position] = own;
  return BlockCopy{shared, own};
}

void BlockManager::start_draining(const BlockTable& table) {
  for (const BlockId block : table) change(block, 0, +1);
}

void BlockManager::finish_draining(BlockTable& table) {
  for (auto block = table.rbegin(); block != table.rend(); ++block) change(*block, -1, -1);
  table.clear();
}

void BlockManager::find_prefix(std::span<const BlockHash> contents,
                               std::vector<BlockId>& found) const {
  found.clear();
  for (const BlockHash content : contents) {
    const auto block = pool_.find(content);
    if (!block) return;
    found.push_back(*block);
  }
}

std::int64_t BlockManager::count_free(std::span<const BlockId> blocks) const {
  std::int64_t count = 0;
  for (const BlockId block : blocks) count += pool_[block].references == 0 ? 1 : 0;
  return count;
}

bool BlockManager::forget_contents() {
  if (held_ + draining_ > 0) return false;
  pool_.forget_contents();
  return true;
}

void BlockManager::begin_tally(std::span<const BlockId> kept) {
  for (const BlockId block : tallied_) tallies_[index(block)] = 0;
  tallies_.resize(pool_.uses().size());
  tallied_.assign(kept.begin(), kept.end());
  // More than there can be references: the count then never meets theirs.
  for (const BlockId block : kept) tallies_[index(block)] = ~std::uint32_t{0} / 2;
}

std::int64_t BlockManager::tally(const BlockTable& table) {
  std::int64_t given_up = 0;
  for (const BlockId id : table) {
    const BlockUse& block = pool_[id];
    std::uint32_t& times = tallies_[index(id)];
    if (times++ == 0) tallied_.push_back(id);
    given_up += times == block.references - block.draining ? 1 : 0;
  }
  return given_up;
}

void BlockManager::audit(std::span<const BlockTable* const> tables) const {
  std::vector<std::uint32_t> counted(pool_.uses().size(), 0);
  for (const BlockTable* table : tables) {
    for (const BlockId block : *table) ++counted.at(index(block));
  }
  std::int64_t in_use = 0;
  for (std::size_t id = 0; id < counted.size(); ++id) {
    const std::uint32_t references = pool_.uses()[id].references;
    invariant(counted[id] == references, "I2 blocks are conserved",
              "block {} has {} references but stands in {} tables", id, references, counted[id]);
    in_use += references > 0 ? 1 : 0;
  }
  invariant(in_use + pledged_ == held_ + draining_ && in_use + pledged_ + free() == total() &&
                pledged_ >= 0 && free() >= 0,
            "I2 blocks are conserved",
            "{} blocks in tables, {} pledged, {} held, {} draining and {} free of {}", in_use,
            pledged_, held_, draining_, free(), total());
}

}  // namespace tokenyard
