// KV memory under pressure, worked by hand: blocks of one token, so a request that has computed n
// tokens holds n blocks.

#include <gtest/gtest.h>

#include "tests/scenarios/scenario.hpp"

namespace tokenyard::test {
namespace {

/// The three prompts take nine of eleven blocks; at 10 ms there are two for three decodes.
Outcome three_in_a_pool_of_eleven() {
  return simulate({{.prompt_tokens = 3, .output_tokens = 4},
                   {.prompt_tokens = 3, .output_tokens = 4},
                   {.prompt_tokens = 3, .output_tokens = 2}},
                  "fcfs", ten_ms(), pool_of(11));
}

// Would catch: a victim that is not the worst-ranked (2 goes at 20, when 0 lacks a block), or that
// is better than the one in need (at 30 request 1 waits and does not evict 0), a paused request
// that loses its cache without need (1 goes on at 40 with a decode), blocks that stay taken after
// an end.
TEST(Memory, GivenABlockIsLackingThenTheWorstResidentBelowTheOneInNeedLosesItsOwn) {
  EXPECT_EQ(plan(three_in_a_pool_of_eleven()),
            (Lines{"0: 0+3 1+3 2+3", "10: 0+1 1+1", "20: 0+1 1+1", "30: 0+1", "40: 1+1 2+4"}));
}

// Would catch: recomputation without the generated tokens (3 instead of 4), tokens given out again,
// and work that is counted as repeated although it is new (the fourth token).
TEST(Memory, GivenAnEvictionThenPromptAndOutputAreRecomputedAndNothingIsGivenOutTwice) {
  const Outcome run = three_in_a_pool_of_eleven();
  EXPECT_EQ(run.requests[2].recomputed_tokens, 3);
  EXPECT_EQ(run.requests[2].output_tokens, 2);
  EXPECT_EQ(run.requests[2].first_token, at_ms(10)) << "the first token is given once";
  EXPECT_EQ(ended_ms(run, 2), 50);
  std::int64_t gaps = 0;
  for (const auto& [gap, count] : run.token_gaps) gaps += count;
  EXPECT_EQ(gaps, 3 + 3 + 1) << "an output of n tokens has n - 1 gaps";
  EXPECT_EQ(run.token_gaps.back(), (std::pair<Duration, std::int64_t>(40ms, 1)));
}

// Would catch: time in the wrong phase: paused from 10, evicted at 20 and recomputing to 50 is all
// preempted; 1, paused at 30 for one iteration, is preempted too, though it kept its blocks.
TEST(Memory, GivenPreemptionsThenTheFivePhasesMakeUpTheTimeInTheSystem) {
  const Outcome run = three_in_a_pool_of_eleven();
  EXPECT_EQ(phases(run, 0), "queue 0 prefill 10 decode 30 preempted 0 swap 0");
  EXPECT_EQ(phases(run, 1), "queue 0 prefill 10 decode 30 preempted 10 swap 0");
  EXPECT_EQ(phases(run, 2), "queue 0 prefill 10 decode 0 preempted 40 swap 0");
  EXPECT_EQ(run.requests[0].preemptions, 0);
  EXPECT_EQ(run.requests[1].recomputed_tokens, 0);
  EXPECT_EQ(run.requests[2].preemptions, 1);
}

// Would catch: a newcomer that cannot take from those below it, or that takes more than it needs.
// At 10 request 2 (one token left, six blocks) finds two free: request 1 (six blocks, worst) is
// enough, 0 keeps its own.
TEST(Memory, GivenABetterRankedNewcomerThenItTakesFromTheWorstAndNoMoreThanItNeeds) {
  const Outcome run = simulate({{.prompt_tokens = 4, .output_tokens = 3},
                                {.prompt_tokens = 5, .output_tokens = 5},
                                {.arrival = at_ms(5), .prompt_tokens = 6, .output_tokens = 1}},
                               "srpt", ten_ms(), pool_of(11));
  EXPECT_EQ(plan(run), (Lines{"0: 0+4 1+5", "10: 2+6 0+1", "20: 0+1", "30: 1+6", "40: 1+1",
                              "50: 1+1", "60: 1+1"}));
}

// Would catch: an evicted request that comes back in the same pass, on the blocks that its better
// has left over: at 30 six are free and its first chunk needs four.
TEST(Memory, GivenAnEvictionThenTheVictimDoesNotComeBackInTheSamePass) {
  ServerSettings settings = pool_of(12);
  settings.limits.chunk_tokens = 4;
  const Outcome run = simulate({{.prompt_tokens = 8, .output_tokens = 4},
                                {.arrival = at_ms(15), .prompt_tokens = 6, .output_tokens = 1}},
                               "srpt", ten_ms(), settings);
  EXPECT_EQ(plan(run), (Lines{"0: 0+4", "10: 0+4", "20: 1+4", "30: 1+2", "40: 0+4", "50: 0+4",
                              "60: 0+1", "70: 0+1", "80: 0+1"}));
  EXPECT_EQ(run.requests[0].recomputed_tokens, 8);
  EXPECT_EQ(phases(run, 0), "queue 0 prefill 20 decode 30 preempted 40 swap 0");
}

// Would catch: an eviction for a request that cannot be served after all: 1 would need twelve
// blocks, and even without 2 there are only eleven (0 is better than 1). So 2 keeps its own.
TEST(Memory, GivenARequestThatCannotBeServedEvenSoThenItTakesNothing) {
  ServerSettings settings = pool_of(16);
  settings.limits.look_past = true;
  const Outcome run = simulate({{.prompt_tokens = 4, .output_tokens = 2},
                                {.prompt_tokens = 5, .output_tokens = 5},
                                {.arrival = at_ms(5), .prompt_tokens = 12, .output_tokens = 3}},
                               "srpt", ten_ms(), settings);
  EXPECT_EQ(plan(run)[1], "10: 0+1 1+1");
  EXPECT_EQ(run.requests[1].preemptions, 0);
}

// Would catch: a policy that is not told who lost its memory, told too early, or told twice.
TEST(Memory, GivenAnEvictionThenThePolicyIsToldOnce) {
  LoggedFcfs policy;
  simulate({{.prompt_tokens = 3, .output_tokens = 2}, {.prompt_tokens = 3, .output_tokens = 2}},
           policy, ten_ms(), pool_of(6));
  const Lines expected = {"0: refresh",
                          "0: arrive 0 with at most 3",
                          "0: arrive 1 with at most 3",
                          "10: progress 0 for 10",
                          "10: progress 1 for 10",
                          "10: refresh",
                          "10: evict 1",
                          "20: finish 0",
                          "20: refresh",
                          "30: finish 1",
                          "30: refresh"};
  EXPECT_EQ(policy.log, expected);
}

// Would catch: a victim that goes on where it was, or is prefilled with its prompt alone, after the
// request that took its blocks has gone. 0 (35 tokens to 36 in the end) leaves no room for 1, whose
// client has had two tokens: 30 + 2 are computed again at once, and the next token is the third.
TEST(Memory, GivenTheOneInItsWayIsCancelledThenTheVictimIsRecomputedInFull) {
  const Outcome run = simulate({{.prompt_tokens = 34, .output_tokens = 20, .cancel_after = 45ms},
                                {.prompt_tokens = 30, .output_tokens = 4}},
                               "fcfs", ten_ms(), pool_of(67));
  EXPECT_EQ(plan(run), (Lines{"0: 0+34 1+30", "10: 0+1 1+1", "20: 0+1", "30: 0+1", "40: 0+1",
                              "50: 1+32", "60: 1+1"}));
  EXPECT_EQ(run.requests[1].recomputed_tokens, 31);
  EXPECT_EQ(run.requests[1].output_tokens, 4);
}

// Would catch: a preemption that is not counted, or after which some of the KV counts as computed:
// 0 loses its KV to each of three newcomers, on a server with a host whose pool is too small for
// it (a swap that cannot be made is no fault) as on one without.
TEST(Memory, GivenSeveralPreemptionsThenEachIsCountedAndStartsFromNothing) {
  std::vector<Job> jobs = {{.prompt_tokens = 8, .output_tokens = 8}};
  for (const int at : {15, 45, 75}) {
    jobs.push_back({.arrival = at_ms(at), .prompt_tokens = 8, .output_tokens = 1});
  }
  for (const std::int64_t host_blocks : {0, 2}) {
    ServerSettings settings = pool_of(16);
    settings.kv.evict = host_blocks > 0 ? Evict::swap : Evict::recompute;
    settings.kv.host_blocks = host_blocks;
    settings.limits.max_num_seqs = 1;
    const Outcome run = simulate(jobs, "srpt", ten_ms(), settings);
    EXPECT_EQ(plan(run), (Lines{"0: 0+8", "10: 0+1", "20: 1+8", "30: 0+10", "40: 0+1", "50: 2+8",
                                "60: 0+12", "70: 0+1", "80: 3+8", "90: 0+14", "100: 0+1"}));
    EXPECT_EQ(run.requests[0].preemptions, 3);
    EXPECT_EQ(run.requests[0].recomputed_tokens, 9 + 11 + 13);
    EXPECT_EQ(run.requests[0].swaps_out, 0);
  }
}

// Would catch: a block too many or too few in a step, at any length: stored are the prompt and all
// tokens but the last, so the steps take the difference of the rounded quotients.
TEST(Memory, GivenAnyLengthThenAStepTakesTheBlocksOfItsTokens) {
  for (const std::int64_t block_size : {1, 2, 3, 8, 16}) {
    for (const std::int64_t prompt : {1, 2, 7, 8, 9, 16, 17, 31}) {
      ServerSettings settings = ample();
      settings.kv.block_size = block_size;
      const Outcome run =
          simulate({{.prompt_tokens = prompt, .output_tokens = 20}}, "fcfs", ten_ms(), settings);
      ASSERT_EQ(run.decisions.size(), 20u);
      std::int64_t tokens = prompt;
      for (const Decision& decision : run.decisions) {
        EXPECT_EQ(decision.kv_blocks_used, (tokens + block_size - 1) / block_size)
            << tokens << " tokens in blocks of " << block_size;
        ++tokens;
      }
    }
  }
}

/// Blocks of four tokens in use in each iteration of one request: prompt 5, output 5, max 20.
std::vector<std::int64_t> blocks_used(Reserve reserve) {
  ServerSettings settings = ample();
  settings.kv.block_size = 4;
  settings.kv.reserve = reserve;
  const Outcome run = simulate({{.prompt_tokens = 5, .output_tokens = 5, .max_tokens = 20}}, "fcfs",
                               ten_ms(), settings);
  std::vector<std::int64_t> blocks;
  for (const Decision& decision : run.decisions) blocks.push_back(decision.kv_blocks_used);
  return blocks;
}

using Blocks = std::vector<std::int64_t>;

// Would catch: a page too many or too few. The last token needs no place: it is never attended to,
// so 5 + 4 tokens are stored in the end.
TEST(Memory, GivenPagesThenATableGrowsWithTheTokens) {
  EXPECT_EQ(blocks_used(Reserve::paged), (Blocks{2, 2, 2, 2, 3}));
}

// Would catch: reservations of another size: 25 tokens whole, 5 + 8 by powers of two, 10 exact.
TEST(Memory, GivenAReservationThenAllOfItIsTakenAtTheStartAndKept) {
  EXPECT_EQ(blocks_used(Reserve::whole), (Blocks{7, 7, 7, 7, 7}));
  EXPECT_EQ(blocks_used(Reserve::pow2), (Blocks{4, 4, 4, 4, 4}));
  EXPECT_EQ(blocks_used(Reserve::oracle), (Blocks{3, 3, 3, 3, 3}));
}

// Would catch: a reservation that is only a number: two requests that fit page by page must run one
// after the other when each reserves the whole.
TEST(Memory, GivenWholeReservationThenOnlyWhoseWholeFitsIsLetIn) {
  ServerSettings settings = pool_of(20);
  const std::vector<Job> jobs = {{.prompt_tokens = 4, .output_tokens = 2, .max_tokens = 8},
                                 {.prompt_tokens = 4, .output_tokens = 2, .max_tokens = 8}};
  EXPECT_EQ(plan(simulate(jobs, "fcfs", ten_ms(), settings)), (Lines{"0: 0+4 1+4", "10: 0+1 1+1"}));
  settings.kv.reserve = Reserve::whole;
  EXPECT_EQ(plan(simulate(jobs, "fcfs", ten_ms(), settings)),
            (Lines{"0: 0+4", "10: 0+1", "20: 1+4", "30: 1+1"}));
}

ServerSettings with_watermark() {
  ServerSettings settings = pool_of(20);
  settings.kv.watermark = 0.25;  // five blocks
  return settings;
}

// Would catch: a watermark that is off by one, or that newcomers do not keep.
TEST(Memory, GivenAWatermarkThenANewcomerMustLeaveItFree) {
  const Outcome five =
      simulate({{.prompt_tokens = 10}, {.prompt_tokens = 5}}, "fcfs", ten_ms(), with_watermark());
  EXPECT_EQ(plan(five), (Lines{"0: 0+10 1+5"}));
  const Outcome six =
      simulate({{.prompt_tokens = 10}, {.prompt_tokens = 6}}, "fcfs", ten_ms(), with_watermark());
  EXPECT_EQ(plan(six), (Lines{"0: 0+10", "10: 1+6"}));
}

// Would catch: a run that is stuck because its only request would cross the watermark.
TEST(Memory, GivenAnEmptyBatchThenTheWatermarkDoesNotCount) {
  const Outcome run =
      simulate({{.prompt_tokens = 18, .output_tokens = 2}}, "fcfs", ten_ms(), with_watermark());
  EXPECT_EQ(plan(run), (Lines{"0: 0+18", "10: 0+1"}));
}

// Would catch: a request that cannot grow although there are blocks: the watermark is for
// newcomers.
TEST(Memory, GivenAWatermarkThenWhoIsInMayGrowIntoIt) {
  const Outcome run =
      simulate({{.prompt_tokens = 8, .output_tokens = 6}, {.prompt_tokens = 7, .output_tokens = 1}},
               "fcfs", ten_ms(), with_watermark());
  EXPECT_EQ(plan(run)[0], "0: 0+8 1+7");
  const Outcome both =
      simulate({{.prompt_tokens = 8, .output_tokens = 3}, {.prompt_tokens = 7, .output_tokens = 3}},
               "fcfs", ten_ms(), with_watermark());
  EXPECT_EQ(plan(both), (Lines{"0: 0+8 1+7", "10: 0+1 1+1", "20: 0+1 1+1"}));
}

}  // namespace
}  // namespace tokenyard::test
