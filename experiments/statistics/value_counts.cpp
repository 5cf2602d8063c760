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

/// Merges the recent words into the others, in place, from the back. Which of the two comes next is
/// as good as random, so that nothing branches on it.
void ValueCounts::merge_recent() {
  radix_sort(recent_, scratch_, kCountBits);
  std::size_t old = merged_.size(), fresh = recent_.size();
  if (old + fresh > merged_.capacity()) merged_.reserve(old + fresh + (old + fresh) / 8);
  merged_.resize(old + fresh);
  std::uint64_t* const words = merged_.data();
  const std::uint64_t* const more = recent_.data();
  while (old > 0 && fresh > 0) {
    const std::uint64_t a = words[old - 1], b = more[fresh - 1];
    const bool takes_old = a > b;
    words[old + fresh - 1] = takes_old ? a : b;
    old -= takes_old ? 1 : 0;
    fresh -= takes_old ? 0 : 1;
  }
  std::copy_n(more, fresh, words);
  recent_.clear();
}

/// Makes words of one value one; a count that a word cannot hold goes to the large ones.
void ValueCounts::combine() {
  if (merged_.empty()) return;
  constexpr std::uint64_t kCountMask = (std::uint64_t{1} << kCountBits) - 1;
  std::uint64_t* const words = merged_.data();
  std::size_t kept = 0;
  std::uint64_t last = words[0];
  for (std::size_t i = 1; i < merged_.size(); ++i) {
    const std::uint64_t word = words[i];
    const std::uint64_t sum = last + (word & kCountMask);
    const bool same = ((word ^ last) >> kCountBits) == 0;
    if (same && ((sum ^ last) >> kCountBits) != 0) [[unlikely]] {
      large_[value_of(word)] += count_of(word);
      continue;
    }
    words[kept] = last;  // final once another value follows
    kept += same ? 0 : 1;
    last = same ? sum : word;
  }
  words[kept] = last;
  merged_.resize(kept + 1);
}

void ValueCounts::merge() {
  merge_recent();
  combine();
  // Half of what is there, so that a merge is paid for by as many additions.
  merge_at_ = std::max(kFewest, merged_.size() / 2);
}

std::vector<ValueCounts::Entry> ValueCounts::sorted() const {
  std::vector<Entry> entries;
  for_each([&](std::int64_t value, std::int64_t count) { entries.emplace_back(value, count); });
  return entries;
}

}  // namespace tokenyard
