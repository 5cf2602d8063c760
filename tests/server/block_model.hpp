#pragma once
// The slow, plain model of the KV blocks that random histories are compared with.

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "sim/server/block_manager.hpp"

namespace tokenyard {

/// A table as its owner sees it: its blocks, and what the owner knows to stand in each.
struct ModelTable {
  BlockTable blocks;
  std::vector<std::uint64_t> data;
  std::vector<BlockHash> contents;  ///< of the prompt that it was started with
  bool draining = false;
};

/// Blocks by definition: who refers to a block is counted from the tables each time, and the free
/// ones stand in lists, the next to be used at the front. `memory` is what was last written to each
/// physical block.
class BlockModel {
 public:
  BlockModel(std::int64_t total, std::size_t table_count)
      : memory(static_cast<std::size_t>(total)), tables(table_count), total_(total) {}

  std::int64_t references(BlockId block, bool draining) const {
    std::int64_t count = 0;
    for (const ModelTable& table : tables) {
      if (table.draining != draining) continue;
      count += std::count(table.blocks.begin(), table.blocks.end(), block);
    }
    return count;
  }
  bool in_use(BlockId block) const {
    return references(block, false) + references(block, true) > 0;
  }

  struct Counts {
    std::int64_t free, held = 0, draining = 0, shared = 0, saved = 0, cached;
    bool operator==(const Counts&) const = default;
  };
  Counts counts() const {
    Counts counts{.free = free(), .cached = static_cast<std::int64_t>(named_.size())};
    for (std::int64_t i = 0; i < total_; ++i) {
      const BlockId block{static_cast<std::uint32_t>(i)};
      const std::int64_t in_tables = references(block, false);
      if (in_tables > 0) ++counts.held;
      if (in_tables > 1) ++counts.shared;
      if (in_tables > 1) counts.saved += in_tables - 1;
      if (in_tables == 0 && references(block, true) > 0) ++counts.draining;
    }
    return counts;
  }
  std::int64_t free() const {
    return static_cast<std::int64_t>(unnamed_.size() + named_.size()) + total_ - never_used_;
  }

  /// The block that the pool must hand out next.
  BlockId take() {
    if (!unnamed_.empty()) return take_front(unnamed_);
    if (never_used_ < total_) return BlockId{static_cast<std::uint32_t>(never_used_++)};
    const BlockId block = take_front(named_);
    std::erase_if(names_, [&](const auto& name) { return name.second == block; });
    return block;
  }
  /// A free block is found and taken with its content.
  void take_found(BlockId block) { std::erase(named_, block); }

  /// After references to `blocks` were given up, in this order: those without any become free.
  void give_up(std::span<const BlockId> blocks) {
    for (const BlockId block : blocks) {
      if (in_use(block)) continue;
      if (name_of(block) == kNoHash) {
        unnamed_.insert(unnamed_.begin(), block);
      } else {
        named_.push_back(block);
      }
    }
  }

  void seal(BlockId block, BlockHash content) {
    if (name_of(block) == kNoHash) names_.emplace_back(content, block);
  }
  BlockHash name_of(BlockId block) const {
    for (const auto& [content, named] : names_) {
      if (named == block) return content;
    }
    return kNoHash;
  }
  /// In the order of sealing.
  const std::vector<std::pair<BlockHash, BlockId>>& names() const { return names_; }
  std::vector<BlockId> find_prefix(std::span<const BlockHash> contents) const {
    std::vector<BlockId> found;
    for (const BlockHash content : contents) {
      const auto name = std::find_if(names_.begin(), names_.end(),
                                     [&](const auto& each) { return each.first == content; });
      if (name == names_.end()) break;
      found.push_back(name->second);
    }
    return found;
  }
  bool forget_contents() {
    if (free() < total_) return false;
    // The last to have been forgotten is the first to be used.
    for (const BlockId block : named_) unnamed_.insert(unnamed_.begin(), block);
    named_.clear();
    names_.clear();
    return true;
  }

  std::vector<std::uint64_t> memory;
  std::vector<ModelTable> tables;

 private:
  static BlockId take_front(std::vector<BlockId>& list) {
    const BlockId block = list.front();
    list.erase(list.begin());
    return block;
  }

  std::int64_t total_;
  std::int64_t never_used_ = 0;
  std::vector<BlockId> unnamed_;
  std::vector<BlockId> named_;
  std::vector<std::pair<BlockHash, BlockId>> names_;
};

}  // namespace tokenyard
