#pragma once
// Byte-pair encoding (Sennrich et al., arXiv 1508.07909): which neighbours become one token, and in
// which order.

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "engine/model_config.hpp"

namespace tokenyard {

/// The merges that a vocabulary knows. A value type; read-only use is thread-safe.
class MergeTable {
 public:
  struct Merge {
    std::uint32_t rank;  ///< lower goes first
    Token token;         ///< what the pair becomes
  };

  /// A later merge of the same pair replaces the earlier one.
  void add(Token left, Token right, Merge merge);
  const Merge* find(Token left, Token right) const;

 private:
  struct Hash {
    std::size_t operator()(std::uint64_t pair) const;
  };
  std::unordered_map<std::uint64_t, Merge, Hash> merges_;
};

/// Carries merges out: always the pair of the lowest rank, of equal ones the leftmost, until none
/// is left. A queue of pairs over a linked list makes that O(n log n) for n tokens. Keeps its
/// memory between calls; one a thread.
class Merger {
 public:
  /// `table` must outlive the merger.
  explicit Merger(const MergeTable& table) : table_(table) {}

  /// Merges the tokens from position `first` on among themselves. They must be fewer than 2^31.
  void merge(std::vector<Token>& tokens, std::size_t first);

 private:
  struct Link {
    std::int32_t previous;  ///< -1 = none
    std::int32_t next;      ///< the number of tokens where there is none
  };
  struct Pair {
    std::uint32_t rank;
    std::int32_t place;  ///< of its left token
    Token left, right;   ///< as they were found; when they have changed since, the pair is void
    Token merged;
  };
  struct Later {
    bool operator()(const Pair& a, const Pair& b) const {
      return a.rank != b.rank ? a.rank > b.rank : a.place > b.place;
    }
  };

  void find_pair(std::span<const Token> tokens, std::int32_t place);

  const MergeTable& table_;
  std::vector<Link> links_;
  std::vector<Pair> queue_;  ///< a heap
};

}  // namespace tokenyard
