#pragma once
// The one place where simulated and real time differ.

#include <chrono>

#include "sim/kernel/event_queue.hpp"
#include "sim/kernel/time.hpp"

namespace tokenyard {

/// Tells the loop when it is. Only the loop asks; nothing else has a clock (DESIGN §3).
/// Time never runs back: successive results of `wait` do not decrease (invariant I1).
/// Owned by the composition, used by the loop's thread only.
class Clock {
 public:
  virtual ~Clock() = default;

  /// Waits until an event of a kind below `kinds` is due or `wake_at` is reached, whichever is
  /// first, and returns the time then. With neither in sight it returns at once.
  virtual Time wait(EventSchedule& events, Time wake_at, std::size_t kinds) = 0;
};

/// Jumps to the next event.
class SimClock final : public Clock {
 public:
  Time wait(EventSchedule& events, Time wake_at, std::size_t kinds) override;

 private:
  Time now_ = kOrigin;
};

/// Follows the system's steady clock; the origin is the moment of construction.
class WallClock final : public Clock {
 public:
  /// Where `interrupted` is given and true, waits end at once (seen within a tenth of a second).
  explicit WallClock(bool (*interrupted)() = nullptr);

  Time wait(EventSchedule& events, Time wake_at, std::size_t kinds) override;

  /// The time now; safe from any thread. For executors and front ends that stamp what really
  /// happened, never for a decision.
  Time now() const;

 private:
  std::chrono::steady_clock::time_point origin_;
  bool (*interrupted_)();
};

}  // namespace tokenyard
