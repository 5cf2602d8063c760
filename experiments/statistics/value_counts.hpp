#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace tokenyard {

/// An exact multiset of integers, kept as value and count: its memory is bounded by the number of
/// distinct values, not by the number of samples. A distinct value takes 11 to 22 bytes, its count
/// included, and 16 more while they are gone through; a map's node only if it is negative or above
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
    if (recent_.size() == kBatch) take_recent();
  }

  /// The number of samples.
  std::int64_t total() const { return total_; }

  /// Calls `visit(value, count)` for each distinct value, ascending.
  template <typename Visit>
  void for_each(Visit visit) const {
    const std::vector<std::uint64_t> words = sorted_words();
    auto a = words.begin();
    auto b = large_.begin();
    while (a != words.end() || b != large_.end()) {
      const bool from_words = a != words.end() && (b == large_.end() || value_of(*a) <= b->first);
      const std::int64_t value = from_words ? value_of(*a) : b->first;
      std::int64_t count = 0;
      for (; a != words.end() && value_of(*a) == value; ++a) count += count_of(*a);
      if (b != large_.end() && b->first == value) count += (b++)->second;
      visit(value, count);
    }
  }

  /// Distinct values in ascending order, each with its count.
  std::vector<Entry> sorted() const;

 private:
  // A word is a value and its count, at least 1, so that words sort by value and none is 0.
  static constexpr int kCountBits = 20;
  static constexpr std::int64_t kCounts = std::int64_t{1} << kCountBits;
  static constexpr std::int64_t kValues = std::int64_t{1} << (64 - kCountBits);
  /// So many are looked up together, that memory answers several at a time.
  static constexpr std::size_t kBatch = 512;

  static std::int64_t value_of(std::uint64_t word) {
    return static_cast<std::int64_t>(word >> kCountBits);
  }
  static std::int64_t count_of(std::uint64_t word) {
    return static_cast<std::int64_t>(word & (static_cast<std::uint64_t>(kCounts) - 1));
  }
  /// Where the search for its value begins (Fibonacci hashing: Knuth, volume 3, section 6.4).
  std::size_t home(std::uint64_t word) const {
    return static_cast<std::size_t>((word >> kCountBits) * 0x9e3779b97f4a7c15U >> shift_);
  }

  std::vector<std::uint64_t> sorted_words() const;
  void take_recent();
  void put(std::uint64_t word);
  void make_room();

  std::vector<std::uint64_t>
      table_;             ///< open addressing; 0 is nothing; never gone through unsorted
  int shift_ = 64;        ///< 64 - log2 of its size
  std::size_t used_ = 0;  ///< words in it
  std::vector<std::uint64_t> recent_;           ///< as they came, not in it yet
  std::map<std::int64_t, std::int64_t> large_;  ///< what does not fit a word
  std::int64_t total_ = 0;
};

}  // namespace tokenyard
