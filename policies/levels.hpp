#pragma once
// The levels of multi-level feedback queues: their quanta, and how many stand on each.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "sim/ports/policy.hpp"

namespace tokenyard {

/// Level l has the quantum base x ratio^l, in whole nanoseconds and at most `kLongest`; levels are
/// made as they are asked for. A value type.
class Levels {
 public:
  static constexpr std::int64_t kMostLevels = 1 << 20;  ///< bounds every search for a level

  /// `ratio` is at least 1; `levels` of 0 means as many as needed.
  Levels(Duration base, double ratio, std::int64_t levels)
      : ratio_(ratio), levels_(levels), next_(static_cast<double>(base.count())) {}

  Duration quantum(std::int64_t level) {
    if (ratio_ == 1) level = 0;
    while (static_cast<std::int64_t>(quanta_.size()) <= level) {
      quanta_.emplace_back(std::llround(next_));
      next_ = std::min(next_ * ratio_, static_cast<double>(kLongest.count()));
    }
    return quanta_[static_cast<std::size_t>(level)];
  }

  /// Whether a request never sinks from this level.
  bool is_last(std::int64_t level) const { return levels_ > 0 && level == levels_ - 1; }

  /// The first level whose quantum covers `iteration`.
  std::int64_t level_for(Duration iteration) {
    std::int64_t level = 0;
    while (!is_last(level) && level < kMostLevels && quantum(level) < iteration) ++level;
    return level;
  }

  /// How many requests are on this level.
  std::int64_t population(std::int64_t level) const {
    const auto place = static_cast<std::size_t>(level);
    return place < population_.size() ? population_[place] : 0;
  }

  /// How long a request that leaves `level` sinks on through empty levels; 0 where others are on
  /// its own. (Nobody meets it from behind: who is above it stops where it was.) Looks at a few
  /// levels.
  Duration alone_below(std::int64_t level) {
    constexpr std::int64_t kMost = 32;
    Duration alone{0};
    if (population(level) > 1) return alone;
    const std::int64_t end = level + kMost;
    for (; level < end && !is_last(level) && population(level + 1) == 0 && alone < kLongest;
         ++level) {
      alone += is_last(level + 1) ? kLongest : quantum(level + 1);
    }
    return alone;
  }

  /// One request more on this level, or (-1) one less.
  void count(std::int64_t level, std::int64_t more) {
    const auto place = static_cast<std::size_t>(level);
    if (place >= population_.size()) population_.resize(place + 1);
    population_[place] += more;
  }

  /// The time that all who stand above `level` need to sink to it, if nobody leaves.
  double sinking_ns(std::int64_t level) {
    double one_ns = 0, all_ns = 0;
    while (--level >= 0) {
      one_ns += static_cast<double>(quantum(level).count());
      all_ns += one_ns * static_cast<double>(population(level));
    }
    return all_ns;
  }

 private:
  double ratio_;
  std::int64_t levels_;
  double next_;
  std::vector<Duration> quanta_;
  std::vector<std::int64_t> population_;
};

}  // namespace tokenyard
