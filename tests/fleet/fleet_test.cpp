// What several replicas behind a router do, worked out on paper.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/contract/policies_of_catalogue.hpp"
#include "tests/fleet/fleet_run.hpp"
#include "tests/scenarios/scenario.hpp"

namespace tokenyard::test {
namespace {

using testing::ElementsAre;

Job job_at(std::int64_t ms, std::int64_t prompt, std::int64_t output) {
  return {.arrival = at_ms(ms), .prompt_tokens = prompt, .output_tokens = output};
}

std::vector<std::size_t> replicas_of(const FleetOutcome& outcome) {
  std::vector<std::size_t> replicas;
  for (const RequestFacts& facts : outcome.requests) replicas.push_back(index(facts.replica));
  return replicas;
}

std::string phases(const RequestFacts& facts) {
  std::string text;
  for (const Duration phase : facts.phases) text += fmt::format("{} ", phase / 1ms);
  return text;
}

ReplicaId replica(std::uint32_t number) {
  return ReplicaId{number};
}

/// A copy of a block takes 3 ms.
FleetCase prefill_and_decode(std::size_t prefill, std::size_t decode) {
  FleetCase what;
  what.fleet.replicas = prefill + decode;
  what.fleet.prefill_replicas = prefill;
  what.server = pool_of(100);
  what.transfer = [](std::int64_t blocks, ReplicaId, ReplicaId) { return blocks * 3ms; };
  return what;
}

// Would catch: a loop of several replicas that is another loop than that of one.
TEST(Fleet, OfOneIsServe) {
  ServerSettings settings = pool_of(60);
  settings.limits.max_num_seqs = 4;
  settings.limits.chunk_tokens = 7;
  std::vector<Job> jobs;
  for (int i = 0; i < 40; ++i) jobs.push_back(job_at(i * 13, 5 + i * 7 % 23, 3 + i * 5 % 17));
  jobs[7].cancel_after = 55ms;
  for (const std::string& policy : policies_under_test()) {
    const Outcome alone = simulate(jobs, policy, ten_ms(), settings);
    FleetCase what;
    what.server = settings;
    what.policy = policy;
    const FleetOutcome outcome = run_fleet(jobs, ten_ms(), what);
    std::string text;
    for (const std::string& line : plan(alone)) text += line + '\n';
    EXPECT_EQ(outcome.iterations.front(), text) << policy;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      EXPECT_EQ(outcome.requests[i].ended, alone.requests[i].ended) << policy << ' ' << i;
      EXPECT_EQ(phases(outcome.requests[i]), phases(alone.requests[i])) << policy << ' ' << i;
    }
  }
}

// Would catch: requests that a router does not send in turn; replicas that wait for one another.
TEST(Fleet, RoundRobinSharesOut) {
  FleetCase what;
  what.fleet.replicas = 2;
  const FleetOutcome outcome = run_fleet(
      {job_at(0, 1, 2), job_at(0, 1, 3), job_at(4, 1, 1), job_at(25, 1, 1)}, ten_ms(), what);
  EXPECT_THAT(replicas_of(outcome), ElementsAre(0, 1, 0, 1));
  EXPECT_EQ(outcome.iterations[0], "0: 0+1\n10: 0+1 2+1\n");
  EXPECT_EQ(outcome.iterations[1], "0: 1+1\n10: 1+1\n20: 1+1\n30: 3+1\n");
}

// Would catch: macro-steps of one replica that end at what happens at another.
TEST(Fleet, LongDecodesAreFewPasses) {
  FleetCase what;
  what.fleet.replicas = 4;
  std::vector<Job> jobs;
  for (int i = 0; i < 4; ++i) jobs.push_back(job_at(i, 8, 1000));
  const FleetOutcome outcome = run_fleet(jobs, ten_ms(), what);
  EXPECT_EQ(outcome.iterations_begun, 4000);
  EXPECT_LE(outcome.passes, 4 * 4);
}

// Would catch: a failure that does not end what runs, forgets a request, produces its tokens anew,
// or takes no account of the time it cost.
TEST(Fleet, AFailedReplicasRequestsGoOnElsewhere) {
  FleetCase what;
  what.fleet.replicas = 2;
  what.server = pool_of(100);
  what.fleet.outages = {{replica(0), at_ms(25), kNever}};
  const FleetOutcome outcome = run_fleet({job_at(0, 4, 5), job_at(0, 1, 1)}, ten_ms(), what);
  // Request 0 has two tokens when its third iteration is lost; prompt and both are computed again.
  EXPECT_EQ(outcome.iterations[0], "0: 0+4\n10: 0+1\n20: 0+1\n");
  EXPECT_EQ(outcome.iterations[1], "0: 1+1\n25: 0+6\n35: 0+1\n45: 0+1\n");
  const RequestFacts& facts = outcome.requests[0];
  EXPECT_EQ(facts.end, End::finished);
  EXPECT_EQ(facts.output_tokens, 5);
  EXPECT_EQ(index(facts.replica), 1U);
  EXPECT_EQ(facts.preemptions, 1);
  EXPECT_EQ(facts.recomputed_tokens, 5);  // of its six the last was never computed before
  EXPECT_EQ(phases(facts), "0 10 35 10 0 ");
  EXPECT_EQ(outcome.jct(0), 55ms);
}

// Would catch: requests that are lost, or rejected, while nobody is up; a replica that comes back
// with what it held before.
TEST(Fleet, RequestsWaitForAReplicaToComeBack) {
  FleetCase what;
  what.server = pool_of(100);
  what.fleet.outages = {{replica(0), at_ms(15), at_ms(100)}};
  const FleetOutcome outcome = run_fleet({job_at(0, 2, 3), job_at(40, 1, 1)}, ten_ms(), what);
  EXPECT_EQ(outcome.iterations[0], "0: 0+2\n10: 0+1\n100: 0+3 1+1\n110: 0+1\n");
  EXPECT_EQ(phases(outcome.requests[1]), "60 10 0 0 0 ");
}

// Would catch: a replica that is asked for what it holds while it is down, when one outage ends as
// the next begins; a moment between them in which it takes requests.
TEST(Fleet, OneOutageMayFollowAnotherAtOnce) {
  FleetCase what;
  what.server = pool_of(100);
  what.fleet.outages = {{replica(0), at_ms(15), at_ms(100)}, {replica(0), at_ms(100), at_ms(130)}};
  const FleetOutcome outcome = run_fleet({job_at(0, 2, 3), job_at(40, 1, 1)}, ten_ms(), what);
  EXPECT_EQ(outcome.iterations[0], "0: 0+2\n10: 0+1\n130: 0+3 1+1\n140: 0+1\n");
}

// Would catch: a request that a failed replica had not begun and that waits twice, or is counted as
// preempted.
TEST(Fleet, WhoHadNotBegunIsOnlyQueued) {
  FleetCase what;
  what.fleet.replicas = 2;
  what.server = one_at_a_time();
  what.fleet.outages = {{replica(0), at_ms(15), kNever}};
  const FleetOutcome outcome =
      run_fleet({job_at(0, 1, 9), job_at(0, 1, 1), job_at(1, 1, 1)}, ten_ms(), what);
  EXPECT_THAT(replicas_of(outcome), ElementsAre(1, 1, 1));
  EXPECT_EQ(outcome.requests[2].preemptions, 0);
  EXPECT_EQ(outcome.requests[0].preemptions, 1);
}

// Would catch: a hand-over that begins before the first token, is not charged, or lets either side
// use the blocks too soon; a phase that is not swap.
TEST(Disaggregation, ByHand) {
  const FleetOutcome outcome =
      run_fleet({job_at(0, 4, 3), job_at(0, 2, 2)}, ten_ms(), prefill_and_decode(1, 1));
  // Both prompts take one iteration. Their 4 and 2 blocks follow one another: 12 ms, then 6 ms.
  EXPECT_EQ(outcome.iterations[0], "0: 0+4 1+2\n");
  EXPECT_EQ(outcome.iterations[1], "22: 0+1\n32: 0+1 1+1\n");
  EXPECT_EQ(phases(outcome.requests[0]), "0 10 20 0 12 ");
  EXPECT_EQ(phases(outcome.requests[1]), "0 10 10 4 18 ");  // its copy ends in an iteration
  EXPECT_THAT(replicas_of(outcome), ElementsAre(1, 1));
  EXPECT_EQ(outcome.requests[0].swaps_in, 0);
  EXPECT_EQ(outcome.requests[0].recomputed_tokens, 0);
}

// Would catch: a request with a single token that is handed over for nothing.
TEST(Disaggregation, WhoFinishesWithItsFirstTokenStays) {
  const FleetOutcome outcome = run_fleet({job_at(0, 4, 1)}, ten_ms(), prefill_and_decode(1, 1));
  EXPECT_THAT(replicas_of(outcome), ElementsAre(0));
  EXPECT_EQ(outcome.jct(0), 10ms);
}

// Would catch: copies that take no time changing anything but the place: with one prefill replica
// for each that decodes, and alone, a request takes the same time.
TEST(Disaggregation, WithoutDelayAloneIsTheSame) {
  FleetCase what = prefill_and_decode(2, 2);
  what.transfer = [](std::int64_t, ReplicaId, ReplicaId) { return Duration{0}; };
  std::vector<Job> jobs;
  for (int i = 0; i < 10; ++i) jobs.push_back(job_at(i * 1000, 7, 6));
  const FleetOutcome outcome = run_fleet(jobs, ten_ms(), what);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    EXPECT_EQ(outcome.jct(i), 60ms) << i;
    EXPECT_EQ(index(outcome.requests[i].replica), 2 + i % 2);
  }
}

// Would catch: a source that gives blocks away before they are copied, or never; a receiver that
// fetches what it has no room for.
TEST(Disaggregation, TheSourceHoldsBlocksUntilTheyAreCopied) {
  FleetCase what = prefill_and_decode(1, 1);
  what.server = pool_of(6);
  // Each needs 5 of 6 blocks at its end: one fits into either pool.
  const FleetOutcome outcome =
      run_fleet({job_at(0, 4, 2), job_at(0, 4, 2), job_at(0, 4, 2)}, ten_ms(), what);
  // The first is copied from 10 to 22 and decodes until 32; then the second has room there, and at
  // the source the third waits until its copy ends at 44.
  EXPECT_EQ(outcome.iterations[0], "0: 0+4\n22: 1+4\n44: 2+4\n");
  EXPECT_EQ(outcome.iterations[1], "22: 0+1\n44: 1+1\n66: 2+1\n");
}

// Would catch: KV that outlives its replica; a request that is lost with its source.
TEST(Disaggregation, ALostSourceIsComputedAgain) {
  FleetCase what = prefill_and_decode(1, 1);
  what.fleet.outages = {{replica(0), at_ms(15), at_ms(1000)}};
  const FleetOutcome outcome = run_fleet({job_at(0, 4, 3)}, ten_ms(), what);
  // Its copy would have ended at 22; the receiver computes prompt and first token itself.
  EXPECT_EQ(outcome.iterations[1], "15: 0+5\n25: 0+1\n");
  EXPECT_EQ(phases(outcome.requests[0]), "0 10 10 10 5 ");
}

// Would catch: a request that is lost with the replica that decodes it, or stays without a first
// token's replica; blocks that the source keeps for it.
TEST(Disaggregation, ALostReceiverSendsBackToPrefill) {
  FleetCase what = prefill_and_decode(1, 2);
  what.fleet.outages = {{replica(1), at_ms(15), kNever}};
  const FleetOutcome outcome = run_fleet({job_at(0, 4, 3)}, ten_ms(), what);
  // Recomputed with its next token, and handed over again: 5 blocks.
  EXPECT_EQ(outcome.iterations[0], "0: 0+4\n15: 0+5\n");
  EXPECT_EQ(outcome.iterations[2], "40: 0+1\n");
  EXPECT_EQ(outcome.requests[0].output_tokens, 3);
}

}  // namespace
}  // namespace tokenyard::test
