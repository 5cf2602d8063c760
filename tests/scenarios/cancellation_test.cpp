// A client gives up: in each state that its request can be in.

#include <gtest/gtest.h>

#include "tests/scenarios/scenario.hpp"

namespace tokenyard::test {
namespace {

void expect_cancelled(const Outcome& run, std::size_t request, std::int64_t ms,
                      std::int64_t output_tokens) {
  EXPECT_EQ(run.requests.at(request).end, End::cancelled);
  EXPECT_EQ(ended_ms(run, request), ms);
  EXPECT_EQ(run.requests.at(request).output_tokens, output_tokens);
}

// Would catch: a waiting request that is served although nobody waits for it, or that stays live
// for ever.
TEST(Cancellation, GivenAWaitingRequestThenItLeavesAtTheNextBoundary) {
  const Outcome run = simulate({{.output_tokens = 3}, {.output_tokens = 1, .cancel_after = 15ms}},
                               "fcfs", ten_ms(), one_at_a_time());
  EXPECT_EQ(plan(run), (Lines{"0: 0+1", "10: 0+1", "20: 0+1"}));
  expect_cancelled(run, 1, 20, 0);
  EXPECT_EQ(phases(run, 1), "queue 20 prefill 0 decode 0 preempted 0 swap 0");
}

// Would catch: an iteration that is cut short, tokens that it yielded and are lost, or a request
// that runs on.
TEST(Cancellation, GivenARunningRequestThenItLeavesWhenItsIterationEnds) {
  const Outcome run = simulate({{.output_tokens = 9, .cancel_after = 15ms}}, "fcfs", ten_ms());
  EXPECT_EQ(plan(run), (Lines{"0: 0+1", "10: 0+1"}));
  expect_cancelled(run, 0, 20, 2);
}

// Would catch: blocks or a place that the cancelled keeps: 1 fits only after 0 has left.
TEST(Cancellation, GivenACancelledRequestThenItsBlocksAreFreeAtThatBoundary) {
  const Outcome run = simulate({{.prompt_tokens = 6, .output_tokens = 4, .cancel_after = 15ms},
                                {.prompt_tokens = 9, .output_tokens = 1}},
                               "fcfs", ten_ms(), pool_of(10));
  EXPECT_EQ(plan(run), (Lines{"0: 0+6", "10: 0+1", "20: 1+9"}));
}

// Would catch: a paused request (it has blocks, is not in the batch) that is overlooked. It waits
// from 10, is cancelled at 25 and leaves at 30.
TEST(Cancellation, GivenAPausedRequestThenItLeavesWithWhatItHas) {
  const Outcome run = simulate(
      {{.output_tokens = 9, .cancel_after = 25ms}, {.arrival = at_ms(5), .output_tokens = 3}},
      "srpt", ten_ms(), one_at_a_time());
  EXPECT_EQ(plan(run), (Lines{"0: 0+1", "10: 1+1", "20: 1+1", "30: 1+1"}));
  expect_cancelled(run, 0, 30, 1);
  EXPECT_EQ(phases(run, 0), "queue 0 prefill 10 decode 0 preempted 20 swap 0");
}

// Would catch: a cancellation that comes before its request (in the order of kinds it is taken
// first) and is therefore dropped, so that the request runs for nobody.
TEST(Cancellation, GivenArrivalAndCancellationInOneIterationThenTheRequestNeverRuns) {
  const Outcome run = simulate({{.output_tokens = 2}, {.arrival = at_ms(3), .cancel_after = 2ms}},
                               "fcfs", ten_ms());
  EXPECT_EQ(plan(run), (Lines{"0: 0+1", "10: 0+1"}));
  expect_cancelled(run, 1, 10, 0);
}

// Would catch: the same at one instant, with nothing running.
TEST(Cancellation, GivenArrivalAndCancellationAtOneInstantThenTheRequestNeverRuns) {
  const Outcome run = simulate({{.arrival = at_ms(3), .cancel_after = 0ms}}, "fcfs", ten_ms());
  EXPECT_TRUE(run.decisions.empty());
  expect_cancelled(run, 0, 3, 0);
}

// Would catch: a cancellation that ends a request a second time, or that hits the next request.
TEST(Cancellation, GivenARequestThatHasEndedThenNothingHappens) {
  const Outcome run = simulate({{.output_tokens = 1, .cancel_after = 25ms}, {.output_tokens = 4}},
                               "fcfs", ten_ms());
  EXPECT_EQ(run.requests[0].end, End::finished);
  EXPECT_EQ(ended_ms(run, 0), 10);
  EXPECT_EQ(run.requests[1].end, End::finished);
}

// Would catch: a finished answer that is thrown away: the end of the iteration is taken first.
TEST(Cancellation, GivenItsLastIterationIsUnderWayThenTheRequestFinishes) {
  const Outcome run = simulate({{.output_tokens = 2, .cancel_after = 15ms}}, "fcfs", ten_ms());
  EXPECT_EQ(run.requests[0].end, End::finished);
  EXPECT_EQ(ended_ms(run, 0), 20);
}

// Would catch: a rejected request that is reported twice.
TEST(Cancellation, GivenARejectedRequestThenItStaysRejected) {
  const Outcome run = simulate({{.prompt_tokens = 50, .cancel_after = 5ms}, {.output_tokens = 2}},
                               "fcfs", ten_ms(), pool_of(50));
  EXPECT_EQ(run.requests[0].end, End::rejected);
}

// Would catch: a policy that is not told of a cancellation (its tables would grow for ever).
TEST(Cancellation, GivenACancellationThenThePolicyIsTold) {
  LoggedFcfs policy;
  simulate({{.output_tokens = 9, .cancel_after = 5ms}}, policy, ten_ms());
  EXPECT_EQ(policy.log, (Lines{"0: refresh", "0: arrive 0 with at most 63999999",
                               "10: progress 0 for 10", "10: cancel 0", "10: refresh"}));
}

// Would catch: a member that leaves a static batch before its end: all end together.
TEST(Cancellation, GivenAMemberOfAStaticBatchThenItLeavesWhenTheBatchEnds) {
  ServerSettings settings = ample();
  settings.limits.static_batching = true;
  const Outcome run = simulate({{.output_tokens = 3}, {.output_tokens = 5, .cancel_after = 5ms}},
                               "fcfs", ten_ms(), settings);
  EXPECT_EQ(run.requests[0].end, End::finished);
  EXPECT_EQ(ended_ms(run, 0), 30) << "the batch ends with its longest uncancelled member";
  EXPECT_EQ(run.requests[1].end, End::cancelled);
  EXPECT_EQ(ended_ms(run, 1), 30);
}

}  // namespace
}  // namespace tokenyard::test
