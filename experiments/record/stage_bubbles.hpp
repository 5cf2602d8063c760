#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "sim/kernel/time.hpp"

namespace tokenyard {

/// A time in which a stage of a pipeline has nothing to do although an iteration is in flight.
struct StageBubble {
  std::size_t stage = 0;
  Time from = kOrigin;
  Time to = kOrigin;
};

/// Finds the bubbles of a pipeline: while the stages fill, while they drain, and where one waits
/// for another. Fed with what an observer is told, in its order; one object serves one run.
class StageBubbles {
 public:
  /// An iteration begins.
  void begun(Time now) {
    if (in_flight_++ == 0) active_since_ = now;
  }
  /// A stage will be busy with the iteration that has just begun. Returns the bubble before.
  std::optional<StageBubble> busy(std::size_t stage, Time from, Time to);
  /// An iteration ends. Returns the bubbles that end with it: those of all stages where it was the
  /// last in flight. Valid until the next call.
  const std::vector<StageBubble>& ended(Time now) {
    const bool last = --in_flight_ == 0;
    if (stages() > 0) find_drained(last, now);
    return drained_;
  }

  /// The stages seen so far.
  std::size_t stages() const { return idle_since_.size(); }
  /// All stages' time with an iteration in flight, and that of the bubbles in it; those still open
  /// do not count.
  Duration active() const { return busy_ + bubbles_; }
  Duration bubbles() const { return bubbles_; }
  /// The bubbles' share of that time; empty where there is one stage, or no time has passed.
  std::optional<double> share() const;

 private:
  void find_drained(bool last, Time now);

  std::vector<Time> idle_since_;  // by stage
  std::vector<StageBubble> drained_;
  std::int64_t in_flight_ = 0;
  Time active_since_ = kOrigin;
  Duration busy_{0}, bubbles_{0};  // of all stages together
};

}  // namespace tokenyard
