#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace tokenyard {

/// An exact multiset of integers, kept as value and count: its memory is bounded by the number of
/// distinct values, not by the number of samples. A distinct value takes 8 bytes, its count
/// included, and as much again while adding; a map's node only if it is negative or above
/// 2^44, or occurs over a million times. A value type; not safe to share while adding.
class ValueCounts {
 public:
  using Entry = std::pair<std::int64_t, std::int64_t>;  ///< value, count

  /// Adds `count` samples of `value`; O(1) amortised. A count of 0 or less adds nothing.
  void add(std::int64_t value, std::int64_t count) {
    if (count <= 0) return;
    total_ += count;
    if (value < 0 || value >= kValues || count >= kCounts) {
      large_[value] += count;
      return;
    }
    recent_.push_back(static_cast<std::uint64_t>(value) << kCountBits |
                      static_cast<std::uint64_t>(count));
    if (recent_.size() >= merge_at_) merge();
  }

  /// The number of samples.
  std::int64_t total() const { return total_; }

  /// Calls `visit(value, count)` for each distinct value, ascending.
  template <typename Visit>
  void for_each(Visit visit) const {
    const std::vector<std::uint64_t> recent = sorted_recent();
    auto a = merged_.begin();
    auto b = recent.begin();
    auto c = large_.begin();
    for (;;) {
      std::int64_t value = kNone;
      if (a != merged_.end()) value = value_of(*a);
      if (b != recent.end()) value = value < value_of(*b) ? value : value_of(*b);
      if (c != large_.end()) value = value < c->first ? value : c->first;
      // The greatest integer stands for the end; where it is a value itself, it is the last one.
      if (value == kNone && c == large_.end()) return;
      std::int64_t count = 0;
      if (a != merged_.end() && value_of(*a) == value) count += count_of(*a++);
      while (b != recent.end() && value_of(*b) == value) count += count_of(*b++);
      if (c != large_.end() && c->first == value) count += (c++)->second;
      visit(value, count);
    }
  }

  /// Distinct values in ascending order, each with its count.
  std::vector<Entry> sorted() const;

 private:
  // A word is a value and its count, so that words sort by value.
  static constexpr int kCountBits = 20;
  static constexpr std::int64_t kCounts = std::int64_t{1} << kCountBits;
  static constexpr std::int64_t kValues = std::int64_t{1} << (64 - kCountBits);
  static constexpr std::int64_t kNone = INT64_MAX;
  static constexpr std::size_t kFewest = 4096;

  static std::int64_t value_of(std::uint64_t word) {
    return static_cast<std::int64_t>(word >> kCountBits);
  }
  static std::int64_t count_of(std::uint64_t word) {
    return static_cast<std::int64_t>(word & (static_cast<std::uint64_t>(kCounts) - 1));
  }

  std::vector<std::uint64_t> sorted_recent() const;
  void merge_recent();
  void combine();
  void merge();

  std::vector<std::uint64_t> merged_;           ///< ascending, each value once
  std::vector<std::uint64_t> recent_;           ///< as they came
  std::vector<std::uint64_t> scratch_;          ///< of the sort
  std::map<std::int64_t, std::int64_t> large_;  ///< what does not fit a word
  std::int64_t total_ = 0;
  std::size_t merge_at_ = kFewest;
};

}  // namespace tokenyard
