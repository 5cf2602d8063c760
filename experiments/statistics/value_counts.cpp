#include "experiments/statistics/value_counts.hpp"

#include <algorithm>

#include "experiments/statistics/radix_sort.hpp"

namespace tokenyard {

std::vector<std::uint64_t> ValueCounts::sorted_recent() const {
  std::vector<std::uint64_t> words = recent_;
  std::vector<std::uint64_t> scratch;
  radix_sort(words, scratch, kCountBits);
  return words;
}

/// Sorts the recent words and makes those of one value one; a count that a word cannot hold goes
/// to the large ones.
void ValueCounts::combine_recent() {
  radix_sort(recent_, scratch_, kCountBits);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < recent_.size();) {
    const std::int64_t value = value_of(recent_[i]);
    std::int64_t count = 0;
    for (; i < recent_.size() && value_of(recent_[i]) == value; ++i) count += count_of(recent_[i]);
    if (count >= kCounts) {
      large_[value] += count;
    } else {
      recent_[kept++] =
          static_cast<std::uint64_t>(value) << kCountBits | static_cast<std::uint64_t>(count);
    }
  }
  recent_.resize(kept);
}

void ValueCounts::merge() {
  combine_recent();
  // What is there already takes the count; what is new is merged in, from the back, in place.
  std::size_t fresh = 0;
  auto at = merged_.begin();
  for (const std::uint64_t word : recent_) {
    at = std::find_if(at, merged_.end(),
                      [&](std::uint64_t other) { return value_of(other) >= value_of(word); });
    if (at == merged_.end() || value_of(*at) != value_of(word)) {
      recent_[fresh++] = word;
    } else if (const std::int64_t count = count_of(*at) + count_of(word); count < kCounts) {
      *at += static_cast<std::uint64_t>(count_of(word));
    } else {
      large_[value_of(word)] += count_of(word);
    }
  }
  std::size_t from = merged_.size();
  std::size_t to = from + fresh;
  if (to > merged_.capacity()) merged_.reserve(to + to / 8);
  merged_.resize(to);
  while (fresh > 0) {
    if (from > 0 && merged_[from - 1] > recent_[fresh - 1]) {
      merged_[--to] = merged_[--from];
    } else {
      merged_[--to] = recent_[--fresh];
    }
  }
  recent_.clear();
  // Half of what is there, so that a merge is paid for by as many additions.
  merge_at_ = std::max(kFewest, merged_.size() / 2);
}

std::vector<ValueCounts::Entry> ValueCounts::sorted() const {
  std::vector<Entry> entries;
  for_each([&](std::int64_t value, std::int64_t count) { entries.emplace_back(value, count); });
  return entries;
}

}  // namespace tokenyard
