// From a trace to events: replay, truth, and the changes made before it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/traces/made_up_files.hpp"
#include "traces/generate.hpp"
#include "traces/replay.hpp"
#include "traces/trace_builder.hpp"
#include "traces/transform.hpp"
#include "traces/truth.hpp"

namespace tokenyard {
namespace {

using testing::HasSubstr;

Trace trace_of(const std::vector<std::int64_t>& arrivals_ns) {
  Trace trace;
  for (const auto arrival : arrivals_ns) {
    TraceRequest request;
    request.label = std::to_string(trace.requests.size() + 1);
    request.arrival = kOrigin + Duration(arrival);
    request.input_tokens = 10 + arrival % 7;
    request.output_tokens = 1 + arrival % 5;
    trace.requests.push_back(request);
  }
  settle(trace);
  return trace;
}

/// Runs a workload to its end as the loop does; returns all events in the order they became due.
std::vector<Event> replay(const Trace& trace) {
  TraceView view(trace);
  TraceWorkload workload(view);
  Events events;
  std::vector<Event> due;
  std::vector<Event> all;
  workload.post_until(kOrigin, events);
  while (!events.empty() || workload.expects_more()) {
    const Time now = events.next_time(Events::kKinds);
    EXPECT_NE(now, kNever) << "nothing was posted ahead";
    if (now == kNever) break;
    workload.post_until(now, events);
    events.take_due(now, due);
    all.insert(all.end(), due.begin(), due.end());
  }
  return all;
}

// Would catch: requests lost, repeated, reordered or posted late, however they bunch up.
RC_GTEST_PROP(Replay, PostsEveryArrivalOnceInOrder, ()) {
  auto arrivals =
      *rc::gen::nonEmpty(rc::gen::container<std::vector<std::int64_t>>(rc::gen::inRange(0, 40)));
  std::sort(arrivals.begin(), arrivals.end());
  const Trace trace = trace_of(arrivals);
  const auto events = replay(trace);
  RC_ASSERT(events.size() == arrivals.size());
  for (std::size_t i = 0; i < events.size(); ++i) {
    const Request& request = std::get<Arrival>(events[i].payload).request;
    RC_ASSERT(index(request.id) == i);
    RC_ASSERT(events[i].key == i);
    RC_ASSERT(events[i].at == kOrigin + Duration(arrivals[i]));
    RC_ASSERT(request.arrival == events[i].at);
    RC_ASSERT(request.prompt_tokens == trace.requests[i].input_tokens);
  }
}

// Would catch: a queue that is filled with the whole trace at once, or a clock left without a next
// event.
TEST(Replay, PostsNoFurtherThanOneArrivalAhead) {
  const Trace trace = trace_of({0, 0, 5, 5, 9});
  TraceView view(trace);
  TraceWorkload workload(view);
  Events events;
  std::vector<Event> due;
  const auto pending = [&] {
    events.take_due(kNever, due);
    return due.size();
  };
  workload.post_until(kOrigin, events);
  EXPECT_EQ(pending(), 3U);  // both at 0, and one at 5
  workload.post_until(kOrigin + Duration(4), events);
  EXPECT_EQ(pending(), 0U);  // that one is still ahead
  EXPECT_TRUE(workload.expects_more());
  workload.post_until(kOrigin + Duration(5), events);
  EXPECT_EQ(pending(), 2U);  // the other at 5, and the one at 9
  EXPECT_FALSE(workload.expects_more());
}

// Would catch: impatient clients that never give up, or give up at the wrong time or before they
// have come; fields that do not reach the request.
TEST(Replay, CancelsImpatientClients) {
  Trace trace = trace_of({3, 8});
  TraceRequest impatient = trace.requests[0];
  impatient.cancel_after = Duration(10);
  impatient.max_tokens = 77;
  impatient.priority = -2;
  trace.requests.set(0, impatient);
  const auto events = replay(trace);
  ASSERT_EQ(events.size(), 3U);
  const Request& request = std::get<Arrival>(events[0].payload).request;
  EXPECT_EQ(request.max_tokens, 77);
  EXPECT_EQ(request.priority, -2);
  EXPECT_EQ(events[2].at, kOrigin + Duration(13));
  EXPECT_EQ(std::get<Cancellation>(events[2].payload).request, RequestId{0});
}

// Would catch: lengths of other requests, and reading beyond the trace.
TEST(Truth, IsTheTracesOwn) {
  const Trace trace = trace_of({0, 1, 2, 3});
  const TraceView view(trace);
  const TraceTruth truth(view);
  for (std::uint32_t i = 0; i < 4; ++i) {
    EXPECT_EQ(truth.output_tokens(RequestId{i}), trace.requests[i].output_tokens);
  }
  EXPECT_ANY_THROW(truth.output_tokens(RequestId{4}));
}

// Would catch: a rate counted with n instead of n - 1 gaps, gaps scaled by different factors, a
// first arrival left behind, a stale digest.
TEST(Transform, ScalesAllGapsByOneFactor) {
  Trace trace = trace_of({1'000'000'000, 2'000'000'000, 2'000'000'000, 5'000'000'000});
  const std::string digest = trace.digest;
  EXPECT_DOUBLE_EQ(mean_rate(trace), 0.75);
  scale_to_rate(trace, 7.5);
  EXPECT_EQ(trace.requests[0].arrival - kOrigin, std::chrono::milliseconds(100));
  EXPECT_EQ(trace.requests[1].arrival - kOrigin, std::chrono::milliseconds(200));
  EXPECT_EQ(trace.requests[2].arrival - kOrigin, std::chrono::milliseconds(200));
  EXPECT_EQ(trace.requests[3].arrival - kOrigin, std::chrono::milliseconds(500));
  EXPECT_DOUBLE_EQ(mean_rate(trace), 7.5);
  EXPECT_NE(trace.digest, digest);
}

// Would catch: a division by zero or an endless trace.
TEST(Transform, RefusesRatesThatCannotBe) {
  Trace burst = trace_of({5, 5, 5});
  EXPECT_THAT(message_of([&] { scale_to_rate(burst, 1); }), HasSubstr("arrive at once"));
  Trace one = trace_of({5});
  EXPECT_THAT(message_of([&] { scale_to_rate(one, 1); }), HasSubstr("arrive at once"));
  Trace trace = trace_of({0, 1'000'000'000});
  for (const double bad : {0.0, -1.0, std::nan(""), HUGE_VAL}) {
    EXPECT_THAT(message_of([&] { scale_to_rate(trace, bad); }), HasSubstr("must be above 0"));
  }
  EXPECT_THAT(message_of([&] { scale_to_rate(trace, 1e-12); }), HasSubstr("100 years"));
}

}  // namespace
}  // namespace tokenyard
