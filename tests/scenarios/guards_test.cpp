// Guards that users ask of servers: a bound on waiting, and one on the queue. Worked by hand.

#include <gtest/gtest.h>

#include "tests/scenarios/scenario.hpp"

namespace tokenyard::test {
namespace {

/// A long request, and a shorter one every 10 ms that SRPT prefers to it.
Lines one_long_among_short(const std::string& policy) {
  return plan(simulate({{.output_tokens = 3},
                        {.output_tokens = 1},
                        {.arrival = at_ms(10)},
                        {.arrival = at_ms(20)},
                        {.arrival = at_ms(30)},
                        {.arrival = at_ms(40)}},
                       policy, ten_ms(), one_at_a_time()));
}

// Would catch: a scenario that starves nobody, and so would show nothing of the guards below.
TEST(Guards, GivenNoGuardThenTheLongRequestStarves) {
  EXPECT_EQ(one_long_among_short("srpt"), (Lines{"0: 1+1", "10: 2+1", "20: 3+1", "30: 4+1",
                                                 "40: 5+1", "50: 0+1", "60: 0+1", "70: 0+1"}));
}

// Would catch: a guard that comes an iteration early or late, gives more than one turn, or forgets
// the request after it. Two iterations without it are 20 ms of waiting, or two tokens of credit at
// a hundred a second (the tie at 20 goes to the smaller id), so all three guards decide the same.
TEST(Guards, GivenAGuardThenTheLongRequestHasATurnAfterTwoIterationsWithout) {
  const Lines expected = {"0: 1+1",  "10: 2+1", "20: 0+1", "30: 3+1",
                          "40: 4+1", "50: 0+1", "60: 5+1", "70: 0+1"};
  EXPECT_EQ(one_long_among_short("srpt guarded by after_ms=20"), expected);
  EXPECT_EQ(one_long_among_short("srpt guarded by skips=2"), expected);
  EXPECT_EQ(one_long_among_short("srpt guarded by aging=100"), expected);
}

ServerSettings queue_of(std::int64_t most) {
  ServerSettings settings = one_at_a_time();
  settings.limits.max_waiting = most;
  return settings;
}

// Would catch: a limit that is off by one, counts who runs, or is looked at before the boundary. At
// 10 request 1 takes the only place and 2 finds it taken; at 40 the place is free again.
TEST(Guards, GivenAFullQueueThenAnArrivalIsRejectedByName) {
  const Outcome run = simulate(
      {{.output_tokens = 3}, {.arrival = at_ms(1)}, {.arrival = at_ms(2)}, {.arrival = at_ms(35)}},
      "fcfs", ten_ms(), queue_of(1));
  EXPECT_EQ(plan(run), (Lines{"0: 0+1", "10: 0+1", "20: 0+1", "30: 1+1", "40: 3+1"}));
  EXPECT_EQ(run.requests[2].end, End::rejected);
  EXPECT_EQ(run.requests[2].reason, "the queue is full");
  EXPECT_EQ(run.requests[2].output_tokens, 0);
  EXPECT_EQ(ended_ms(run, 2), 10);
}

// Would catch: a queue that a burst may overrun because the executor is idle: places are counted
// before the batch is formed.
TEST(Guards, GivenABurstToAnIdleServerThenNoMoreThanTheQueueHoldsAreTaken) {
  ServerSettings settings = ample();
  settings.limits.max_waiting = 2;
  const Outcome run = simulate({{}, {}, {}}, "fcfs", ten_ms(), settings);
  EXPECT_EQ(plan(run), (Lines{"0: 0+1 1+1"}));
  EXPECT_EQ(run.requests[2].end, End::rejected);
}

// Would catch: a request that has run and is passed over (0, from 10 on) counted as waiting.
TEST(Guards, GivenAPreemptedRequestThenItTakesNoPlaceInTheQueue) {
  const Outcome run =
      simulate({{.output_tokens = 3}, {.arrival = at_ms(5)}, {.arrival = at_ms(15)}}, "mlfq",
               ten_ms(), queue_of(1));
  EXPECT_EQ(plan(run), (Lines{"0: 0+1", "10: 1+1", "20: 2+1", "30: 0+1", "40: 0+1"}));
}

// Would catch: a place that a cancelled request keeps for ever, or gives up after the arrivals of
// its boundary.
TEST(Guards, GivenACancellationOfAWaitingRequestThenItsPlaceIsFreeAtThatBoundary) {
  const Outcome run = simulate(
      {{.output_tokens = 4}, {.arrival = at_ms(1), .cancel_after = 12ms}, {.arrival = at_ms(15)}},
      "fcfs", ten_ms(), queue_of(1));
  EXPECT_EQ(run.requests[1].end, End::cancelled);
  EXPECT_EQ(plan(run).back(), "40: 2+1");
}

// Would catch: a request that can never fit and takes a place, or is rejected for the wrong reason.
TEST(Guards, GivenARequestThatCanNeverFitThenItTakesNoPlaceAndIsToldSo) {
  ServerSettings settings = pool_of(10);
  settings.limits.max_waiting = 1;
  const Outcome run =
      simulate({{.prompt_tokens = 20}, {}, {.prompt_tokens = 20}, {}}, "fcfs", ten_ms(), settings);
  EXPECT_EQ(run.requests[0].reason, "the prompt fills the KV pool");
  EXPECT_EQ(run.requests[1].end, End::finished);
  EXPECT_EQ(run.requests[2].reason, "the prompt fills the KV pool");
  EXPECT_EQ(run.requests[3].reason, "the queue is full");
}

}  // namespace
}  // namespace tokenyard::test
