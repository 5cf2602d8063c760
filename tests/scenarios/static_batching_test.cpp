// Static batching (FasterTransformer): a batch runs until its longest member ends.

#include <gtest/gtest.h>

#include "tests/scenarios/scenario.hpp"

namespace tokenyard::test {
namespace {

ServerSettings static_batches(std::int64_t max_num_seqs) {
  ServerSettings settings = ample();
  settings.limits.static_batching = true;
  settings.limits.max_num_seqs = max_num_seqs;
  return settings;
}

// Would catch: any other arithmetic. An iteration costs 5 ms, a prompt token 1 ms, a decoding
// sequence 2 ms. Prefill: 5 + 10 + 20 + 30 = 65. Then max(output) - 1 = 4 decodes of all three
// members, the finished ones too: 5 + 3 x 2 = 11 each. All end at 65 + 44 = 109.
TEST(StaticBatching, GivenABatchThenAllMembersAreChargedUntilTheLongestEnds) {
  const IntegerCost cost({.iteration = 5ms, .prefill_token = 1ms, .decode_sequence = 2ms});
  const Outcome run = simulate({{.prompt_tokens = 10, .output_tokens = 3},
                                {.prompt_tokens = 20, .output_tokens = 1},
                                {.prompt_tokens = 30, .output_tokens = 5}},
                               "fcfs", cost, static_batches(8));
  EXPECT_EQ(run.decisions.size(), 5u);
  for (std::size_t request = 0; request < 3; ++request) {
    EXPECT_EQ(first_token_ms(run, request), 65);
    EXPECT_EQ(ended_ms(run, request), 109);
  }
  EXPECT_EQ(run.requests[0].output_tokens, 3);
  EXPECT_EQ(run.requests[1].output_tokens, 1);
  EXPECT_EQ(run.requests[2].output_tokens, 5);
  EXPECT_EQ(phases(run, 1), "queue 0 prefill 65 decode 44 preempted 0 swap 0");
}

// Would catch: a batch that is joined while it runs, or a next batch that does not start when the
// last ends.
TEST(StaticBatching, GivenARunningBatchThenArrivalsWaitForItsEndThoughThereIsRoom) {
  const Outcome run = simulate({{.output_tokens = 3},
                                {.arrival = at_ms(1), .output_tokens = 2},
                                {.arrival = at_ms(25), .output_tokens = 1}},
                               "fcfs", ten_ms(), static_batches(8));
  EXPECT_EQ(plan(run), (Lines{"0: 0+1", "10: 0+1", "20: 0+1", "30: 1+1 2+1", "40: 1+1 2+1"}));
  EXPECT_EQ(phases(run, 1), "queue 29 prefill 10 decode 10 preempted 0 swap 0");
}

// Would catch: members taken in the order of arrival whatever the policy says, or more of them than
// allowed.
TEST(StaticBatching, GivenMoreRequestsThanPlacesThenTheBestRankedAreTaken) {
  const Outcome run = simulate({{.output_tokens = 9}, {.output_tokens = 2}, {.output_tokens = 3}},
                               "srpt", ten_ms(), static_batches(2));
  EXPECT_EQ(plan(run)[0], "0: 1+1 2+1");
  EXPECT_EQ(plan(run)[3], "30: 0+1");
}

// Would catch: limits of continuous batching applied to a static batch.
TEST(StaticBatching, GivenTokenLimitAndChunkingThenTheyDoNotApply) {
  ServerSettings settings = static_batches(8);
  settings.limits.max_num_batched_tokens = 10;
  settings.limits.chunk_tokens = 4;
  const Outcome run =
      simulate({{.prompt_tokens = 30}, {.prompt_tokens = 50}}, "fcfs", ten_ms(), settings);
  EXPECT_EQ(plan(run), (Lines{"0: 0+30 1+50"}));
}

// Would catch: a batch that starts although its members' memory is not there.
TEST(StaticBatching, GivenTooFewBlocksThenTheBatchIsSmaller) {
  ServerSettings settings = static_batches(8);
  settings.kv = pool_of(12).kv;
  const Outcome run = simulate({{.prompt_tokens = 6}, {.prompt_tokens = 5}, {.prompt_tokens = 4}},
                               "fcfs", ten_ms(), settings);
  EXPECT_EQ(plan(run), (Lines{"0: 0+6 1+5", "10: 2+4"}));
}

// Would catch: a run that is stuck, or a member that is lost, when the finished members hold the
// memory that the last one needs. At 30 request 1 needs a fifth block of eight, and 0, which has
// its tokens, holds four and only waits for the batch's end: 1 gives way, so the batch is over, and
// 1 starts anew at once with its prompt and the three tokens it has.
TEST(StaticBatching, GivenTheFinishedHoldTheMemoryThenTheBatchIsOverAndTheRestStartsAnew) {
  ServerSettings settings = static_batches(8);
  settings.kv = pool_of(8).kv;
  LoggedFcfs policy;
  const Outcome run =
      simulate({{.prompt_tokens = 3, .output_tokens = 2}, {.prompt_tokens = 2, .output_tokens = 5}},
               policy, ten_ms(), settings);
  EXPECT_EQ(plan(run), (Lines{"0: 0+3 1+2", "10: 0+1 1+1", "20: 0+1 1+1", "30: 1+5", "40: 1+1"}));
  EXPECT_EQ(ended_ms(run, 0), 30);
  EXPECT_EQ(ended_ms(run, 1), 50);
  EXPECT_EQ(run.requests[1].recomputed_tokens, 4);
  EXPECT_EQ(phases(run, 1), "queue 0 prefill 10 decode 30 preempted 10 swap 0");
  EXPECT_EQ(std::count(policy.log.begin(), policy.log.end(), "30: evict 1"), 1);
}

}  // namespace
}  // namespace tokenyard::test
