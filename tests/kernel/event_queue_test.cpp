#include "sim/kernel/event_queue.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <thread>
#include <tuple>
#include <vector>

namespace tokenyard {
namespace {

using namespace std::chrono_literals;

struct First {};
struct Second {};
struct Third {
  int value = 0;
};
using Queue = EventQueue<First, Second, Third>;

/// What the order is made of: time in ns, kind, key.
using Place = std::tuple<std::int64_t, std::size_t, std::uint64_t>;

Place place(const Queue::Event& event) {
  return {event.at.time_since_epoch().count(), event.kind(), event.key};
}

Queue::Payload payload_of(std::size_t kind) {
  if (kind == 0) return First{};
  if (kind == 1) return Second{};
  return Third{};
}

std::vector<Place> take(Queue& queue, std::int64_t now_ns) {
  std::vector<Queue::Event> due;
  queue.take_due(kOrigin + Duration(now_ns), due);
  std::vector<Place> places;
  for (const auto& event : due) places.push_back(place(event));
  return places;
}

/// Distinct places with many ties in time and kind.
std::vector<Place> arbitrary_places() {
  auto places = *rc::gen::container<std::vector<Place>>(rc::gen::tuple(
      rc::gen::inRange<std::int64_t>(0, 5), rc::gen::inRange<std::size_t>(0, Queue::kKinds),
      rc::gen::inRange<std::uint64_t>(0, 20)));
  std::sort(places.begin(), places.end());
  places.erase(std::unique(places.begin(), places.end()), places.end());
  return places;
}

// Would catch: an order that depends on the order of posting, so that a streamed and a preloaded
// run (or two runs with threads) would decide differently.
RC_GTEST_PROP(EventQueue, OrderIsByTimeKindAndKeyWhateverTheOrderOfPosting, ()) {
  const auto places = arbitrary_places();
  auto posted = places;
  const auto swaps = *rc::gen::container<std::vector<std::size_t>>(
      rc::gen::inRange<std::size_t>(0, std::max<std::size_t>(1, places.size())));
  for (std::size_t i = 0; i < std::min(swaps.size(), posted.size()); ++i) {
    std::swap(posted[i], posted[swaps[i]]);
  }
  Queue queue;
  for (const auto& [at, kind, key] : posted) {
    const Time time = kOrigin + Duration(at);
    if (*rc::gen::arbitrary<bool>()) {
      queue.post(time, key, payload_of(kind));
    } else {
      queue.post_from_thread(time, key, payload_of(kind));
    }
  }
  RC_ASSERT(take(queue, 100) == places);
  RC_ASSERT(queue.empty());
}

// Would catch: events taken too early, left behind, or lost between two takings.
RC_GTEST_PROP(EventQueue, TakesExactlyWhatIsDue, ()) {
  const auto places = arbitrary_places();
  const auto now = *rc::gen::inRange<std::int64_t>(0, 5);
  Queue queue;
  for (const auto& [at, kind, key] : places) {
    queue.post(kOrigin + Duration(at), key, payload_of(kind));
  }
  const auto split = std::find_if(places.begin(), places.end(),
                                  [now](const Place& p) { return std::get<0>(p) > now; });
  RC_ASSERT(take(queue, now) == std::vector<Place>(places.begin(), split));
  RC_ASSERT(take(queue, 100) == std::vector<Place>(split, places.end()));
}

// Would catch: an arrival that ends the wait for an iteration, although only iteration ends count.
TEST(EventQueue, NextTimeLooksOnlyAtTheKindsAskedFor) {
  Queue queue;
  EXPECT_EQ(queue.next_time(Queue::kKinds), kNever);
  queue.post(kOrigin + 5ns, 0, Third{});
  queue.post(kOrigin + 9ns, 0, First{});
  EXPECT_EQ(queue.next_time(1), kOrigin + 9ns);
  EXPECT_EQ(queue.next_time(2), kOrigin + 9ns);
  EXPECT_EQ(queue.next_time(3), kOrigin + 5ns);
  EXPECT_EQ(queue.next_time(0), kNever);
}

// Would catch: a payload that does not travel with its event.
TEST(EventQueue, CarriesThePayload) {
  Queue queue;
  queue.post(kOrigin + 2ns, 1, Third{20});
  queue.post(kOrigin + 1ns, 2, Third{10});
  std::vector<Queue::Event> due;
  queue.take_due(kOrigin + 2ns, due);
  ASSERT_EQ(due.size(), 2U);
  EXPECT_EQ(std::get<Third>(due[0].payload).value, 10);
  EXPECT_EQ(std::get<Third>(due[1].payload).value, 20);
}

// Would catch: a lost or doubled post when several threads post while the loop takes (and, under
// the thread sanitizer, a data race).
TEST(EventQueue, LosesNothingPostedFromThreads) {
  constexpr std::uint64_t kThreads = 4;
  constexpr std::uint64_t kPosts = 2000;
  Queue queue;
  std::vector<std::thread> threads;
  for (std::uint64_t thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&queue, thread] {
      for (std::uint64_t i = 0; i < kPosts; ++i) {
        queue.post_from_thread(kOrigin, thread * kPosts + i, First{});
      }
    });
  }
  std::vector<bool> seen(kThreads * kPosts, false);
  std::uint64_t taken = 0;
  const auto deadline = std::chrono::steady_clock::now() + 60s;
  while (taken < kThreads * kPosts && std::chrono::steady_clock::now() < deadline) {
    for (const auto& [at, kind, key] : take(queue, 0)) {
      EXPECT_FALSE(seen[key]) << key;
      seen[key] = true;
      ++taken;
    }
    std::this_thread::yield();
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(taken, kThreads * kPosts);
  EXPECT_TRUE(queue.empty());
}

// Would catch: a sleeper that misses a post and sleeps on to its deadline.
TEST(EventQueue, APostFromAThreadEndsTheSleep) {
  Queue queue;
  std::thread poster([&queue] {
    std::this_thread::sleep_for(20ms);
    queue.post_from_thread(kOrigin, 1, First{});
  });
  const auto start = std::chrono::steady_clock::now();
  queue.sleep_until(start + 60s);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 30s);
  poster.join();
  EXPECT_EQ(take(queue, 0).size(), 1U);
}

}  // namespace
}  // namespace tokenyard
