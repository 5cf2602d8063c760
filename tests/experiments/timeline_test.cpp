#include "experiments/record/timeline.hpp"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "sim/kernel/invariant.hpp"
#include "tests/experiments/made_up.hpp"

namespace tokenyard {
namespace {

using made_up::at_ms;
using made_up::iteration;
using nlohmann::json;

/// Two requests through two iterations with an idle time between them; the second arrives while the
/// first iteration runs and is made known at its end, as the scheduler does it.
std::string small_run() {
  std::ostringstream out;
  const std::string labels[] = {"first \"one\"", ""};
  TimelineWriter timeline(out, "timeline.json", [&](RequestId id) {
    return index(id) < std::size(labels) ? labels[index(id)] : std::string();
  });
  const auto first = iteration(0, at_ms(0), 1);
  timeline.entered(RequestId{0}, Phase::queue, at_ms(0));
  timeline.entered(RequestId{0}, Phase::prefill, at_ms(0));
  timeline.decided(at_ms(0), first, {3, 0});
  timeline.entered(RequestId{0}, Phase::decode, at_ms(10));
  timeline.ended(made_up::finished(0, 0, 0, 10, 0, 1));
  timeline.completed(at_ms(10), first);
  timeline.ended(made_up::rejected(1, 7));
  auto second = iteration(1, kOrigin + made_up::ms(20) + Duration{5}, 1);
  timeline.entered(RequestId{2}, Phase::queue, at_ms(20));
  timeline.entered(RequestId{2}, Phase::prefill, second.begun);
  timeline.decided(second.begun, second, {4, 1});
  timeline.ended(made_up::finished(2, 20, 0, 10, 10, 2));
  timeline.completed(at_ms(40), second);
  timeline.finish();
  return out.str();
}

// Catches JSON that Perfetto refuses, and events out of order.
TEST(Timeline, IsJsonInTheOrderOfTime) {
  const json events = json::parse(small_run());
  double last = 0;
  for (const auto& event : events) {
    ASSERT_TRUE(event.contains("ph") && event.contains("pid") && event.contains("tid"));
    EXPECT_GE(event.at("ts").get<double>(), last) << event;
    last = event.at("ts").get<double>();
  }
}

// Catches slices that are never closed, closed twice or crossed: begins and ends of one id nest.
TEST(Timeline, AsynchronousSlicesNest) {
  std::map<int, std::vector<std::string>> stacks;
  std::map<int, int> slices;
  for (const auto& event : json::parse(small_run())) {
    if (event.at("ph") == "b") {
      EXPECT_EQ(event.at("cat"), "request");
      stacks[event.at("id")].push_back(event.at("name"));
      ++slices[event.at("id")];
    } else if (event.at("ph") == "e") {
      auto& stack = stacks[event.at("id")];
      ASSERT_FALSE(stack.empty());
      EXPECT_EQ(stack.back(), event.at("name"));
      stack.pop_back();
    }
  }
  for (const auto& [id, stack] : stacks) EXPECT_TRUE(stack.empty()) << id;
  EXPECT_EQ(slices[0], 4);  // the request, queue, prefill, decode
  EXPECT_EQ(slices[1], 2);  // refused: the request, queue
  EXPECT_EQ(slices[2], 3);
}

// Catches durations rounded to microseconds, written with an exponent, or of the wrong iteration;
// and counters that stay up while the server idles.
TEST(Timeline, IterationsAndCountersAreExact) {
  const std::string text = small_run();
  EXPECT_NE(text.find(R"({"ts":20000.005,"ph":"X","name":"iteration")"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("dur":19999.995})"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("dur":10000.000})"), std::string::npos) << text;
  std::vector<std::pair<double, int>> running;
  for (const auto& event : json::parse(text)) {
    if (event.at("ph") == "C" && event.at("name") == "running") {
      running.emplace_back(event.at("ts"), event.at("args").at("value"));
    }
  }
  const std::vector<std::pair<double, int>> expected = {
      {0, 1}, {10000, 0}, {20000.005, 1}, {40000, 0}};
  EXPECT_EQ(running, expected);
}

// Catches overlapping complete events on one thread, which viewers draw wrongly.
TEST(Timeline, OverlappingIterationsHaveThreadsOfTheirOwn) {
  std::ostringstream out;
  TimelineWriter timeline(out, "timeline.json");
  const auto a = iteration(0, at_ms(0), 1);
  const auto b = iteration(1, at_ms(5), 1);
  const auto c = iteration(2, at_ms(10), 1);
  timeline.decided(at_ms(0), a, {});
  timeline.decided(at_ms(5), b, {});
  timeline.completed(at_ms(10), a);
  timeline.decided(at_ms(10), c, {});
  timeline.completed(at_ms(15), b);
  timeline.completed(at_ms(20), c);
  timeline.finish();
  std::vector<int> threads;
  for (const auto& event : json::parse(out.str())) {
    if (event.at("ph") == "X") threads.push_back(event.at("tid"));
  }
  EXPECT_EQ(threads, (std::vector<int>{1, 2, 1}));
}

// Catches a timeline that ends in the middle of an iteration without anybody noticing.
TEST(Timeline, RefusesToEndInFlight) {
  std::ostringstream out;
  TimelineWriter timeline(out, "timeline.json");
  timeline.decided(at_ms(0), iteration(0, at_ms(0), 1), {});
  EXPECT_THROW(timeline.finish(), InvariantBroken);
}

}  // namespace
}  // namespace tokenyard
