// The timing rules, one by one, with numbers worked by hand. They decide results, so a change here
// is a change of the specification.

#include <gtest/gtest.h>

#include "models/linear_cost_model.hpp"
#include "tests/scenarios/scenario.hpp"

namespace tokenyard::test {
namespace {

// Would catch: an idle executor that waits for some tick before it takes a request.
TEST(TimingRules, GivenAnIdleExecutorWhenARequestArrivesThenItStartsAtOnce) {
  const Outcome run = simulate({{.arrival = at_ms(7)}, {.arrival = at_ms(23)}}, "fcfs", ten_ms());
  EXPECT_EQ(plan(run), (Lines{"7: 0+1", "23: 1+1"}));
  EXPECT_EQ(run.requests[0].first_scheduled, at_ms(7));
}

// Would catch: an iteration that is interrupted, or joined while it runs.
TEST(TimingRules, GivenAnIterationUnderWayWhenARequestArrivesThenItWaitsForItsEnd) {
  const Outcome run = simulate({{.prompt_tokens = 5, .output_tokens = 3},
                                {.arrival = at_ms(3), .prompt_tokens = 4, .output_tokens = 1}},
                               "fcfs", ten_ms());
  EXPECT_EQ(plan(run), (Lines{"0: 0+5", "10: 0+1 1+4", "20: 0+1"}));
  EXPECT_EQ(phases(run, 1), "queue 7 prefill 10 decode 0 preempted 0 swap 0");
}

// Would catch: an arrival at the very end of an iteration that misses the next one.
TEST(TimingRules, GivenAnArrivalAtTheInstantOfABoundaryThenItIsTakenThere) {
  const Outcome run = simulate({{.output_tokens = 2}, {.arrival = at_ms(10)}}, "fcfs", ten_ms());
  EXPECT_EQ(plan(run), (Lines{"0: 0+1", "10: 0+1 1+1"}));
}

// Would catch: any other order of what a boundary takes: progress in ranking order, promotions,
// arrivals by time. Everything that fell into the iteration is taken before the next is formed.
TEST(TimingRules, GivenABoundaryThenProgressComesInRankingOrderThenPromotionsThenArrivals) {
  LoggedFcfs policy;
  simulate({{.output_tokens = 2},
            {.output_tokens = 1},
            {.arrival = at_ms(2)},
            {.arrival = at_ms(2)},
            {.arrival = at_ms(9)}},
           policy, ten_ms());
  const Lines at_ten = {"10: progress 0 for 10",
                        "10: finish 1",
                        "10: refresh",
                        "10: arrive 2 with at most 63999999",
                        "10: arrive 3 with at most 63999999",
                        "10: arrive 4 with at most 63999999"};
  ASSERT_GE(policy.log.size(), 9u);
  EXPECT_EQ(Lines(policy.log.begin() + 3, policy.log.begin() + 9), at_ten);
}

// Would catch: the same order, seen in the places of a queue. Request 0 sinks to level 1 and 1
// joins level 1 at the same boundary: progress was first, so 0 has the better place, until it sinks
// again at 30.
TEST(TimingRules, GivenProgressAndArrivalIntoOneLevelThenProgressHasTheBetterPlace) {
  const IntegerCost cost({.prefill_token = 1ms, .decode_sequence = 10ms});
  const Outcome run = simulate({{.prompt_tokens = 10, .output_tokens = 4},
                                {.arrival = at_ms(5), .prompt_tokens = 15, .output_tokens = 1}},
                               "skip-join-mlfq", cost, one_at_a_time());
  EXPECT_EQ(plan(run), (Lines{"0: 0+10", "10: 0+1", "20: 0+1", "30: 1+15", "45: 0+1"}));
}

// Would catch: promotions after arrivals: at 25 the waiting 1 is promoted and 2 arrives; both are
// then at level 0, and 1 is before 2.
TEST(TimingRules, GivenPromotionAndArrivalIntoOneLevelThenThePromotedHasTheBetterPlace) {
  const IntegerCost cost({.prefill_token = 1ms, .decode_sequence = 10ms});
  const Outcome run = simulate({{.prompt_tokens = 25, .output_tokens = 1},
                                {.prompt_tokens = 30, .output_tokens = 1},
                                {.arrival = at_ms(20), .prompt_tokens = 5, .output_tokens = 1}},
                               "skip-join-mlfq:promote_after_ms=25", cost, one_at_a_time());
  EXPECT_EQ(plan(run), (Lines{"0: 0+25", "25: 1+30", "55: 2+5"}));
}

// Would catch: a walk that fills gaps with whoever fits, which starves long prompts; and the switch
// that allows it, which must go on to all that follow.
TEST(TimingRules, GivenARequestThatDoesNotFitThenTheWalkStopsUnlessItMayLookPast) {
  const std::vector<Job> jobs = {
      {.prompt_tokens = 60}, {.prompt_tokens = 60}, {.prompt_tokens = 30}, {.prompt_tokens = 10}};
  ServerSettings settings = ample();
  settings.limits.max_num_batched_tokens = 100;
  EXPECT_EQ(plan(simulate(jobs, "fcfs", ten_ms(), settings)),
            (Lines{"0: 0+60", "10: 1+60 2+30 3+10"}));
  settings.limits.look_past = true;
  EXPECT_EQ(plan(simulate(jobs, "fcfs", ten_ms(), settings)),
            (Lines{"0: 0+60 2+30 3+10", "10: 1+60"}));
}

// Would catch: a prompt that is cut although chunking is off.
TEST(TimingRules, GivenNoChunkingThenAPromptIsPrefilledWhole) {
  ServerSettings settings = ample();
  settings.limits.max_num_batched_tokens = 100;
  const Outcome run = simulate({{.prompt_tokens = 99}, {.prompt_tokens = 2}, {.prompt_tokens = 98}},
                               "fcfs", ten_ms(), settings);
  EXPECT_EQ(plan(run), (Lines{"0: 0+99", "10: 1+2 2+98"}));
}

// Would catch: an oversized prompt that is never taken, taken beside another prefill, kept out by
// decodes, or followed by a further prefill.
TEST(TimingRules, GivenAPromptLongerThanAnIterationThenItGoesAsTheOnlyPrefillWithAnyDecodes) {
  ServerSettings settings = ample();
  settings.limits.max_num_batched_tokens = 100;
  const Outcome run = simulate({{.prompt_tokens = 10, .output_tokens = 3},
                                {.prompt_tokens = 250, .output_tokens = 2},
                                {.prompt_tokens = 20, .output_tokens = 1}},
                               "fcfs", ten_ms(), settings);
  EXPECT_EQ(plan(run), (Lines{"0: 0+10", "10: 0+1 1+250", "20: 0+1 1+1 2+20"}));
}

// Would catch: decodes ranked below the oversized prompt that are left out: they always fit. The
// new request has less left than the running ones, so SRPT puts it first; the prefill after them
// is where the walk stops.
TEST(TimingRules, GivenAnOversizedPromptThenTheWalkGoesOnThroughDecodesAndStopsAtAPrefill) {
  ServerSettings settings = ample();
  settings.limits.max_num_batched_tokens = 100;
  const Outcome run = simulate({{.prompt_tokens = 10, .output_tokens = 6},
                                {.prompt_tokens = 10, .output_tokens = 7},
                                {.arrival = at_ms(1), .prompt_tokens = 101, .output_tokens = 1},
                                {.arrival = at_ms(1), .prompt_tokens = 1, .output_tokens = 8}},
                               "srpt", ten_ms(), settings);
  EXPECT_EQ(plan(run)[1], "10: 2+101 0+1 1+1");
  EXPECT_EQ(plan(run)[2], "20: 0+1 1+1 3+1");
}

// Would catch: separate iterations for the two kinds, or a load that counts them wrongly.
TEST(TimingRules, GivenAPrefillAndADecodeThenTheyMixInOneIteration) {
  const Outcome run = simulate(
      {{.prompt_tokens = 5, .output_tokens = 2}, {.arrival = at_ms(1), .prompt_tokens = 30}},
      "fcfs", ten_ms());
  const IterationLoad& load = run.decisions[1].load;
  EXPECT_EQ(load.prefill_sequences, 1);
  EXPECT_EQ(load.prefill_tokens, 30);
  EXPECT_EQ(load.prefill_context_tokens, 30);
  EXPECT_EQ(load.decode_sequences, 1);
  EXPECT_EQ(load.decode_context_tokens, 6) << "the prompt and the token now computed";
}

// Would catch: a first token that needs a decode iteration of its own: an output of n tokens takes
// one prefill and n - 1 decodes.
TEST(TimingRules, GivenAPrefillThenItYieldsTheFirstTokenAtItsEnd) {
  const Outcome run = simulate({{.prompt_tokens = 5, .output_tokens = 3}}, "fcfs", ten_ms());
  EXPECT_EQ(first_token_ms(run, 0), 10);
  EXPECT_EQ(ended_ms(run, 0), 30);
  EXPECT_EQ(run.requests[0].output_tokens, 3);
  EXPECT_EQ(phases(run, 0), "queue 0 prefill 10 decode 20 preempted 0 swap 0");
}

// Would catch: service divided among the batch. The second iteration takes 1 + 30 ms, and both of
// its requests are charged all of it.
TEST(TimingRules, GivenABatchThenEachMemberIsChargedTheWholeDuration) {
  const IntegerCost cost({.prefill_token = 1ms, .decode_sequence = 1ms});
  LoggedFcfs policy;
  simulate({{.prompt_tokens = 5, .output_tokens = 3},
            {.arrival = at_ms(1), .prompt_tokens = 30, .output_tokens = 2}},
           policy, cost);
  EXPECT_NE(std::find(policy.log.begin(), policy.log.end(), "36: progress 0 for 31"),
            policy.log.end());
  EXPECT_NE(std::find(policy.log.begin(), policy.log.end(), "36: progress 1 for 31"),
            policy.log.end());
}

// Would catch: fractions of nanoseconds that are carried from one iteration to the next: 1.4 ns is
// 1 ns each time, so ten of them are 10 ns and not 14.
TEST(TimingRules, GivenACostWithAFractionThenEachIterationIsRoundedToWholeNanoseconds) {
  const LinearCostModel cost({.iteration_s = 1.4e-9});
  const Outcome run = simulate({{.output_tokens = 10}}, "fcfs", cost);
  EXPECT_EQ(run.jct(0), 10ns);
}

// Would catch: ties broken by an address or by the order of posting.
TEST(TimingRules, GivenEqualRanksThenTheSmallerRequestIdGoesFirst) {
  for (const char* policy : {"fcfs", "srpt", "mlfq:order=arrival"}) {
    const Outcome run = simulate({{}, {}, {}}, policy, ten_ms(), one_at_a_time());
    EXPECT_EQ(plan(run), (Lines{"0: 0+1", "10: 1+1", "20: 2+1"})) << policy;
  }
}

// Would catch: more sequences than allowed, or fewer than there is room for.
TEST(TimingRules, GivenMoreRequestsThanMaxNumSeqsThenTheRestWaits) {
  ServerSettings settings = ample();
  settings.limits.max_num_seqs = 2;
  const Outcome run = simulate({{.output_tokens = 2}, {.output_tokens = 1}, {.output_tokens = 1}},
                               "fcfs", ten_ms(), settings);
  EXPECT_EQ(plan(run), (Lines{"0: 0+1 1+1", "10: 0+1 2+1"}));
  EXPECT_EQ(run.decisions[0].waiting, 1);
}

// Would catch: decodes that do not count against the tokens of an iteration.
TEST(TimingRules, GivenADecodeThenItTakesOneOfTheIterationsTokens) {
  ServerSettings settings = ample();
  settings.limits.max_num_batched_tokens = 10;
  const Outcome run = simulate(
      {{.prompt_tokens = 1, .output_tokens = 2}, {.arrival = at_ms(1), .prompt_tokens = 10}},
      "fcfs", ten_ms(), settings);
  EXPECT_EQ(plan(run), (Lines{"0: 0+1", "10: 0+1", "20: 1+10"}));
}

// Would catch: a default taken from the true length. The context is 100, the prompt 30.
TEST(TimingRules, GivenNoMaxTokensThenThePolicySeesWhatTheContextLeaves) {
  ServerSettings settings = ample();
  settings.limits.max_model_len = 100;
  LoggedFcfs policy;
  simulate({{.prompt_tokens = 30, .output_tokens = 2},
            {.prompt_tokens = 30, .output_tokens = 2, .max_tokens = 5}},
           policy, ten_ms(), settings);
  EXPECT_EQ(policy.log[1], "0: arrive 0 with at most 70");
  EXPECT_EQ(policy.log[2], "0: arrive 1 with at most 5");
}

// Would catch: a rejected request that is ranked, costs an iteration, or holds up its followers;
// and one rejected without a reason.
TEST(TimingRules, GivenARequestThatCanNeverFitThenItIsRejectedByNameAndThePolicyNeverSeesIt) {
  ServerSettings settings = ample();
  settings.limits.max_model_len = 100;
  LoggedFcfs policy;
  const Outcome run = simulate({{.prompt_tokens = 100, .output_tokens = 1},
                                {.prompt_tokens = 60, .output_tokens = 41},
                                {.prompt_tokens = 60, .output_tokens = 1}},
                               policy, ten_ms(), settings);
  EXPECT_EQ(run.requests[0].end, End::rejected);
  EXPECT_EQ(run.requests[0].reason, "the prompt fills the context");
  EXPECT_EQ(run.requests[1].end, End::rejected);
  EXPECT_EQ(run.requests[1].reason, "prompt and output exceed the context");
  EXPECT_EQ(run.jct(0), 0ns);
  EXPECT_EQ(plan(run), (Lines{"0: 2+60"}));
  EXPECT_EQ(policy.log,
            (Lines{"0: refresh", "0: arrive 2 with at most 40", "10: finish 2", "10: refresh"}));
}

}  // namespace
}  // namespace tokenyard::test
