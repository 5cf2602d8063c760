#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace tokenyard {

/// An exact multiset of integers, kept as (value, count): its memory is bounded by the number of
/// distinct values, not by the number of samples. A value type; not safe to share while adding.
class ValueCounts {
 public:
  using Entry = std::pair<std::int64_t, std::int64_t>;  ///< value, count

  /// Adds `count` samples of `value`; O(log n) amortised. A count of 0 or less adds nothing.
  void add(std::int64_t value, std::int64_t count) {
    if (count <= 0) return;
    total_ += count;
    if (!entries_.empty() && entries_.back().first == value) {
      entries_.back().second += count;
      return;
    }
    entries_.emplace_back(value, count);
    if (entries_.size() >= compact_at_) compact();
  }

  /// The number of samples.
  std::int64_t total() const { return total_; }

  /// Distinct values in ascending order, each with its count.
  std::vector<Entry> sorted() const;

 private:
  static std::vector<Entry> merged(std::vector<Entry> entries);
  void compact();

  std::vector<Entry> entries_;
  std::int64_t total_ = 0;
  std::size_t compact_at_ = 4096;
};

}  // namespace tokenyard
