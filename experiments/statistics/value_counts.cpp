#include "experiments/statistics/value_counts.hpp"

#include <algorithm>
#include <bit>

#include "experiments/statistics/radix_sort.hpp"

namespace tokenyard {

void ValueCounts::take_recent() {
  make_room();
  for (const std::uint64_t word : recent_) __builtin_prefetch(&table_[home(word)], 1);
  for (const std::uint64_t word : recent_) put(word);
  recent_.clear();
}

/// Adds the count of `word` to that of its value; a count that a word cannot hold goes to the large
/// ones.
inline void ValueCounts::put(std::uint64_t word) {
  const std::size_t mask = table_.size() - 1;
  for (std::size_t at = home(word);; at = (at + 1) & mask) {
    std::uint64_t& there = table_[at];
    if (there == 0) {
      there = word;
      ++used_;
      return;
    }
    if ((there ^ word) >> kCountBits != 0) continue;
    if (count_of(there) + count_of(word) < kCounts) {
      there += static_cast<std::uint64_t>(count_of(word));
    } else {
      large_[value_of(word)] += count_of(word);
    }
    return;
  }
}

/// Lets a quarter of the table be empty when the recent words are in it.
void ValueCounts::make_room() {
  const std::size_t needed = used_ + recent_.size();
  if (needed <= table_.size() / 4 * 3) return;
  std::vector<std::uint64_t> before(std::max(4 * kBatch, 2 * table_.size()));
  before.swap(table_);
  shift_ = 64 - std::countr_zero(table_.size());
  // In the order of the table before they also come in the order of this one.
  for (const std::uint64_t word : before) {
    if (word == 0) continue;
    std::size_t at = home(word);
    while (table_[at] != 0) at = (at + 1) & (table_.size() - 1);
    table_[at] = word;
  }
}

std::vector<std::uint64_t> ValueCounts::sorted_words() const {
  std::vector<std::uint64_t> words;
  words.reserve(used_ + recent_.size());
  for (const std::uint64_t word : table_) {
    if (word != 0) words.push_back(word);
  }
  words.insert(words.end(), recent_.begin(), recent_.end());
  std::vector<std::uint64_t> scratch;
  radix_sort(words, scratch, kCountBits);
  return words;
}

std::vector<ValueCounts::Entry> ValueCounts::sorted() const {
  std::vector<Entry> entries;
  for_each([&](std::int64_t value, std::int64_t count) { entries.emplace_back(value, count); });
  return entries;
}

}  // namespace tokenyard
