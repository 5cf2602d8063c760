#include "sim/kernel/clock.hpp"

#include <algorithm>

namespace tokenyard {

Time SimClock::wait(EventSchedule& events, Time wake_at, std::size_t kinds) {
  const Time next = std::min(events.next_time(kinds), wake_at);
  // An event posted for the past (an arrival during an iteration) is due now.
  if (next != kNever) now_ = std::max(now_, next);
  return now_;
}

WallClock::WallClock() : origin_(std::chrono::steady_clock::now()) {}

Time WallClock::now() const {
  return kOrigin + std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - origin_);
}

Time WallClock::wait(EventSchedule& events, Time wake_at, std::size_t kinds) {
  for (;;) {
    const Time next = std::min(events.next_time(kinds), wake_at);
    const Time current = now();
    if (next <= current) return current;
    // With nothing in sight only another thread's post can end the wait; look again each second.
    const Time bounded = std::min(next, current + std::chrono::seconds(1));
    events.sleep_until(origin_ + bounded.time_since_epoch());
  }
}

}  // namespace tokenyard
