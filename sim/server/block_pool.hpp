#pragma once

#include <algorithm>
#include <boost/intrusive/list.hpp>
#include <boost/intrusive/unordered_set.hpp>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "sim/ports/block_hash.hpp"
#include "sim/ports/ids.hpp"

namespace tokenyard {

using IndexHook = boost::intrusive::unordered_set_base_hook<>;

/// How a block that has ever been used is used.
struct BlockUse {
  std::uint32_t references = 0;
  std::uint32_t draining : 31 = 0;  ///< of these, references of copies to the host
  std::uint32_t named : 1 = 0;      ///< others may find its content
};
static_assert(sizeof(BlockUse) == 8);  // small, because every block of a request is looked up

/// The content of a block. Blocks with the same make up a ring, in the order in which they were
/// sealed; the first of them stands in the index.
struct BlockContent : boost::intrusive::list_base_hook<>, IndexHook {
  BlockId id{};
  BlockHash content = kNoHash;
  BlockContent* twin_before = this;
  BlockContent* twin_after = this;
};

/// The free blocks in the order in which they are used again, and the contents by which blocks are
/// found. First go freed blocks without a named content, the last freed first; then blocks never
/// used; then those that can still be found, the longest free first (vLLM's eviction order).
/// Every operation is O(1), but for `forget_contents`; memory is taken from the heap only when more
/// blocks are in use, or more contents known, than ever before. Not thread-safe.
class BlockPool {
 public:
  explicit BlockPool(std::int64_t total) : total_(total) {}
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;
  ~BlockPool();

  std::int64_t total() const { return total_; }
  std::int64_t free() const {
    return total_ - static_cast<std::int64_t>(uses_.size() - blank_.size() - cached_.size());
  }
  std::int64_t cached() const { return static_cast<std::int64_t>(cached_.size()); }

  BlockUse& operator[](BlockId block) { return uses_[index(block)]; }
  const BlockUse& operator[](BlockId block) const { return uses_[index(block)]; }
  /// By block, of those used so far.
  const std::vector<BlockUse>& uses() const { return uses_; }

  /// Takes the next free block; its content is forgotten. Precondition: one is free.
  BlockId take() {
    if (blank_.empty()) return take_other();
    const BlockId block = blank_.back();
    blank_.pop_back();
    return block;
  }
  /// Takes as many blocks as there are places in `out`, each with one reference; in the same order
  /// as one by one.
  void take(std::span<BlockId> out) {
    const std::size_t blanks = std::min(out.size(), blank_.size());
    const BlockId* next = blank_.data() + blank_.size();
    BlockUse* const uses = uses_.data();
    for (BlockId& block : out.first(blanks)) {
      block = *--next;
      uses[index(block)].references = 1;
    }
    blank_.resize(blank_.size() - blanks);
    for (BlockId& block : out.subspan(blanks)) {
      block = take_other();
      uses_[index(block)].references = 1;
    }
  }
  /// Takes this free block, whose content is named, with it.
  void take(BlockId block);
  /// Takes those at the end of `table` that nobody else refers to and that have no named content
  /// out of it, and makes them free, the last first. Returns how many.
  std::size_t give_back_own(std::vector<BlockId>& table) {
    const std::size_t before = table.size();
    blank_.resize(blank_.size() + before);
    BlockId* out = blank_.data() + blank_.size() - before;
    const BlockId* const begin = table.data();
    const BlockId* end = begin + before;
    BlockUse* const uses = uses_.data();
    for (; end != begin; --end) {
      BlockUse& use = uses[index(end[-1])];
      if (use.references != 1 || use.draining != 0 || use.named != 0) break;
      use.references = 0;
      *out++ = end[-1];
    }
    const std::size_t freed = before - static_cast<std::size_t>(end - begin);
    blank_.resize(blank_.size() - (before - freed));
    table.resize(before - freed);
    return freed;
  }
  /// Makes a block free.
  void give_back(BlockId block) {
    if (uses_[index(block)].named) {
      cached_.push_back(contents_[index(block)]);
    } else {
      blank_.push_back(block);
    }
  }

  /// Names the content of a block in use; `kNoHash` names none. A content stays until the block is
  /// used anew.
  void seal(BlockId block, BlockHash content);
  /// The block that has held `content` for the longest.
  std::optional<BlockId> find(BlockHash content) const;
  /// Forgets the content of every free block.
  void forget_contents();

 private:
  struct ContentOf {
    using type = BlockHash;
    BlockHash operator()(const BlockContent& block) const { return block.content; }
  };
  struct Hasher {  // a content is mixed already
    std::size_t operator()(BlockHash content) const { return static_cast<std::size_t>(content); }
  };
  using List = boost::intrusive::list<BlockContent>;
  using Index =
      boost::intrusive::unordered_set<BlockContent, boost::intrusive::key_of_value<ContentOf>,
                                      boost::intrusive::hash<Hasher>,
                                      boost::intrusive::power_2_buckets<true>>;

  BlockId take_other();
  void grow_index();
  void forget(BlockContent& block);

  std::int64_t total_;
  std::vector<BlockUse> uses_;
  std::deque<BlockContent> contents_;  // by block, up to the last that was ever named
  std::vector<BlockId> blank_;         // free and without content; the last is the next
  List cached_;
  std::vector<Index::bucket_type> buckets_{16};
  Index by_content_{Index::bucket_traits{buckets_.data(), buckets_.size()}};  // only looked up
};

}  // namespace tokenyard
