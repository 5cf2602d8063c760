#include "sim/kernel/clock.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

#include "sim/kernel/event_queue.hpp"

namespace tokenyard {
namespace {

using namespace std::chrono_literals;

struct End {};
struct Coming {};
using Queue = EventQueue<End, Coming>;

// Would catch: a simulated clock that passes an event by, or stops short of it.
TEST(SimClock, JumpsToTheNextEventOrWakeUp) {
  Queue queue;
  SimClock clock;
  queue.post(kOrigin + 30ns, 0, Coming{});
  queue.post(kOrigin + 50ns, 0, End{});
  EXPECT_EQ(clock.wait(queue, kOrigin + 10ns, 2), kOrigin + 10ns);
  EXPECT_EQ(clock.wait(queue, kNever, 2), kOrigin + 30ns);
}

// Would catch: an arrival during an iteration that interrupts it.
TEST(SimClock, WaitsOnlyForTheKindsAskedFor) {
  Queue queue;
  SimClock clock;
  queue.post(kOrigin + 30ns, 0, Coming{});
  queue.post(kOrigin + 50ns, 0, End{});
  EXPECT_EQ(clock.wait(queue, kNever, 1), kOrigin + 50ns);
}

// Would catch: a jump to the end of time when there is nothing left to wait for.
TEST(SimClock, StaysWhereItIsWithNothingInSight) {
  Queue queue;
  SimClock clock;
  queue.post(kOrigin + 30ns, 0, End{});
  EXPECT_EQ(clock.wait(queue, kNever, 2), kOrigin + 30ns);
  std::vector<Queue::Event> due;
  queue.take_due(kOrigin + 30ns, due);
  EXPECT_EQ(clock.wait(queue, kNever, 2), kOrigin + 30ns);
}

// Would catch: time running back (invariant I1) when an event is posted for the past.
RC_GTEST_PROP(SimClock, NeverRunsBack, (std::vector<std::uint8_t> times)) {
  Queue queue;
  SimClock clock;
  Time last = kOrigin;
  std::vector<Queue::Event> due;
  for (std::size_t i = 0; i < times.size(); ++i) {
    queue.post(kOrigin + Duration(times[i]), i, End{});
    const Time now = clock.wait(queue, kNever, 2);
    RC_ASSERT(now == std::max(last, kOrigin + Duration(times[i])));
    queue.take_due(now, due);
    RC_ASSERT(due.size() == 1U);
    last = now;
  }
}

// Would catch: a wall clock that returns before the event is due.
TEST(WallClock, ReturnsWhenTheEventIsDue) {
  Queue queue;
  WallClock clock;
  const Time due = clock.now() + 20ms;
  queue.post(due, 0, End{});
  const Time now = clock.wait(queue, kNever, 2);
  EXPECT_GE(now, due);
  EXPECT_LE(now, clock.now());
}

// Would catch: a live loop that sleeps through an arrival posted by a server thread.
TEST(WallClock, IsWokenByAPostFromAThread) {
  Queue queue;
  WallClock clock;
  std::thread poster([&] {
    std::this_thread::sleep_for(20ms);
    queue.post_from_thread(clock.now(), 0, Coming{});
  });
  const Time now = clock.wait(queue, clock.now() + 60s, 2);
  EXPECT_LT(now, kOrigin + 30s);
  poster.join();
  EXPECT_FALSE(queue.empty());
}

}  // namespace
}  // namespace tokenyard
