#include "sim/kernel/clock.hpp"

#include <algorithm>

namespace tokenyard {

Time SimClock::wait(EventSchedule& events, Time wake_at, std::size_t kinds) {
  const Time next = std::min(events.next_time(kinds), wake_at);
  // An event posted for the past (an arrival during an iteration) is due now.
  if (next != kNever) now_ = std::max(now_, next);
  return now_;
}

WallClock::WallClock(bool (*interrupted)())
    : origin_(std::chrono::steady_clock::now()), interrupted_(interrupted) {}

Time WallClock::now() const {
  return kOrigin + std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - origin_);
}

Time WallClock::wait(EventSchedule& events, Time wake_at, std::size_t kinds) {
  for (;;) {
    const Time next = std::min(events.next_time(kinds), wake_at);
    const Time current = now();
    if (next <= current || (interrupted_ != nullptr && interrupted_())) return current;
    // Another thread's post ends the sleep; a signal does not.
    const Time bounded = std::min(next, current + std::chrono::milliseconds(100));
    events.sleep_until(origin_ + bounded.time_since_epoch());
  }
}

}  // namespace tokenyard
