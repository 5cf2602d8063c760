#include "experiments/statistics/value_counts.hpp"

#include <algorithm>

namespace tokenyard {

std::vector<ValueCounts::Entry> ValueCounts::merged(std::vector<Entry> entries) {
  std::sort(entries.begin(), entries.end());
  std::size_t kept = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (kept > 0 && entries[kept - 1].first == entries[i].first) {
      entries[kept - 1].second += entries[i].second;
    } else {
      entries[kept++] = entries[i];
    }
  }
  entries.resize(kept);
  return entries;
}

void ValueCounts::compact() {
  constexpr std::size_t kSmallest = 4096;
  entries_ = merged(std::move(entries_));
  // Twice what is left, so that each sort is paid for by as many additions.
  compact_at_ = std::max(kSmallest, 2 * entries_.size());
}

std::vector<ValueCounts::Entry> ValueCounts::sorted() const {
  return merged(entries_);
}

}  // namespace tokenyard
