// Swapping KV to the host, worked by hand: blocks of one token, 10 ms an iteration, 2 ms a block.

#include <gtest/gtest.h>

#include "tests/scenarios/scenario.hpp"

namespace tokenyard::test {
namespace {

const IntegerCost& two_ms_a_block() {
  static const IntegerCost cost({.iteration = 10ms, .copy_block = 2ms});
  return cost;
}

ServerSettings swapping(std::int64_t blocks, std::int64_t host_blocks) {
  ServerSettings settings = pool_of(blocks);
  settings.kv.evict = Evict::swap;
  settings.kv.host_blocks = host_blocks;
  return settings;
}

std::vector<Job> three_jobs() {
  return {{.prompt_tokens = 3, .output_tokens = 4},
          {.prompt_tokens = 3, .output_tokens = 4},
          {.prompt_tokens = 3, .output_tokens = 2}};
}

// Would catch: draining blocks given out before their copy has ended (0 would run at 20), a copy
// that holds up compute (the iteration at 46 runs beside the copy back, 46 to 52), a request that
// runs before its blocks are back, and work repeated although nothing was lost.
TEST(Swap, GivenABlockIsLackingThenTheVictimIsCopiedOutAndTheNeedyWaitsForTheCopy) {
  const Outcome run = simulate(three_jobs(), "fcfs", two_ms_a_block(), swapping(11, 100));
  EXPECT_EQ(plan(run), (Lines{"0: 0+3 1+3 2+3", "10: 0+1 1+1", "26: 0+1 1+1", "36: 0+1", "46: 1+1",
                              "56: 2+1"}));
  EXPECT_EQ(run.requests[2].swaps_out, 1);
  EXPECT_EQ(run.requests[2].swaps_in, 1);
  EXPECT_EQ(run.requests[2].recomputed_tokens, 0);
  EXPECT_EQ(run.requests[0].swaps_out + run.requests[1].swaps_out, 0);
}

// Would catch: time waiting for a copy booked elsewhere, or waiting for others booked as swapping.
TEST(Swap, GivenACopyBackThenItsTimeIsSwapTime) {
  const Outcome run = simulate(three_jobs(), "fcfs", two_ms_a_block(), swapping(11, 100));
  EXPECT_EQ(phases(run, 2), "queue 0 prefill 10 decode 10 preempted 40 swap 6");
  EXPECT_EQ(phases(run, 0), "queue 0 prefill 10 decode 30 preempted 6 swap 0");
}

// Would catch: a host pool that is overrun, or a victim that is stuck because the host is full.
TEST(Swap, GivenTheHostHasNoRoomThenTheVictimIsRecomputed) {
  const Outcome run = simulate(three_jobs(), "fcfs", two_ms_a_block(), swapping(11, 2));
  EXPECT_EQ(plan(run),
            (Lines{"0: 0+3 1+3 2+3", "10: 0+1 1+1", "20: 0+1 1+1", "30: 0+1", "40: 1+1 2+4"}));
  EXPECT_EQ(run.requests[2].swaps_out, 0);
  EXPECT_EQ(run.requests[2].recomputed_tokens, 3);
}

// Would catch: `cheaper` that does not compare the way there and back (2 x 3 blocks) with computing
// the three tokens again (10 ms): 12 ms is dearer, 6 ms cheaper.
TEST(Swap, GivenCheaperThenTheCostModelDecidesForEachVictim) {
  ServerSettings settings = swapping(11, 100);
  settings.kv.evict = Evict::cheaper;
  EXPECT_EQ(simulate(three_jobs(), "fcfs", two_ms_a_block(), settings).requests[2].swaps_out, 0);
  const IntegerCost one_ms_a_block({.iteration = 10ms, .copy_block = 1ms});
  EXPECT_EQ(simulate(three_jobs(), "fcfs", one_ms_a_block, settings).requests[2].swaps_out, 1);
}

// Would catch: a newcomer that starts before the copy out has ended (at 10), and one that waits
// longer than that; 0 must not take the blocks that 2 waits for.
TEST(Swap, GivenABetterRankedNewcomerThenItEntersWhenTheCopyOutHasEnded) {
  const Outcome run = simulate({{.prompt_tokens = 4, .output_tokens = 3},
                                {.prompt_tokens = 5, .output_tokens = 5},
                                {.arrival = at_ms(5), .prompt_tokens = 6, .output_tokens = 1}},
                               "srpt", two_ms_a_block(), swapping(11, 100));
  EXPECT_EQ(plan(run), (Lines{"0: 0+4 1+5", "20: 2+6 0+1", "30: 0+1", "50: 1+1", "60: 1+1",
                              "70: 1+1", "80: 1+1"}));
  EXPECT_EQ(phases(run, 1), "queue 0 prefill 10 decode 40 preempted 30 swap 10");
}

// Would catch: no copy ahead of need, either way: request 0, passed over at 10, leaves fewer idle
// blocks than the watermark's four and is copied out then; at 50 ten blocks are free, so it comes
// back while 2 still runs and goes on at 60 without having waited for a copy.
TEST(Swap, GivenProactiveSwappingThenCopiesGoAheadOfNeedBothWays) {
  ServerSettings settings = swapping(12, 100);
  settings.kv.proactive_swap = true;
  settings.kv.watermark = 0.3;
  settings.limits.max_num_seqs = 1;
  const std::vector<Job> jobs = {{.prompt_tokens = 5, .output_tokens = 6},
                                 {.arrival = at_ms(1), .prompt_tokens = 4, .output_tokens = 4},
                                 {.arrival = at_ms(35), .prompt_tokens = 2, .output_tokens = 1}};
  const Outcome run = simulate(jobs, "srpt", two_ms_a_block(), settings);
  EXPECT_EQ(plan(run).at(5), "50: 2+2");
  EXPECT_EQ(plan(run).at(6), "60: 0+1");
  EXPECT_EQ(run.requests[0].swaps_out, 1);
  EXPECT_EQ(run.requests[0].swaps_in, 1);
  EXPECT_EQ(phases(run, 0), "queue 0 prefill 10 decode 50 preempted 50 swap 0");
  settings.kv.proactive_swap = false;
  settings.kv.watermark = 0;
  EXPECT_EQ(simulate(jobs, "srpt", two_ms_a_block(), settings).requests[0].swaps_out, 0);
}

// Would catch: looking ahead that copies out the very request that waits for a copy to end, and so
// runs next: at 10 the blocks of 1 begin to drain for 0, and with them there are still fewer idle
// than the watermark's eight. (Where every copy fails, such a request would never get on.)
TEST(Swap, GivenARequestThatWaitsForDrainingBlocksThenItIsNotCopiedOutAheadOfNeed) {
  ServerSettings settings = swapping(10, 100);
  settings.kv.proactive_swap = true;
  settings.kv.watermark = 0.8;
  const Outcome run =
      simulate({{.prompt_tokens = 5, .output_tokens = 4}, {.prompt_tokens = 5, .output_tokens = 2}},
               "fcfs", two_ms_a_block(), settings);
  EXPECT_EQ(plan(run), (Lines{"0: 0+5 1+5", "20: 0+1", "30: 0+1", "40: 0+1", "60: 1+1"}));
  EXPECT_EQ(run.requests[0].swaps_out, 0);
  EXPECT_EQ(run.requests[1].swaps_out, 1);
}

// Would catch: a request that leaves while its blocks move (the audit finds them), or that is never
// let go. 2 is cancelled at 22, during its copy out from 20 to 26.
TEST(Swap, GivenACancellationDuringACopyThenTheRequestLeavesWhenTheCopyEnds) {
  auto jobs = three_jobs();
  jobs[2].cancel_after = 22ms;
  const Outcome run = simulate(jobs, "fcfs", two_ms_a_block(), swapping(11, 100));
  EXPECT_EQ(run.requests[2].end, End::cancelled);
  EXPECT_EQ(ended_ms(run, 2), 26);
  EXPECT_EQ(run.requests[0].end, End::finished);
}

// Would catch: room for the whole reservation copied to the host, although it is mostly empty.
TEST(Swap, GivenAWholeReservationThenOnlyWhatIsComputedMoves) {
  ServerSettings settings = swapping(20, 3);
  settings.kv.reserve = Reserve::whole;
  const Outcome run =
      simulate({{.prompt_tokens = 3, .output_tokens = 6, .max_tokens = 9},
                {.arrival = at_ms(5), .prompt_tokens = 10, .output_tokens = 1, .max_tokens = 5}},
               "srpt", two_ms_a_block(), settings);
  EXPECT_EQ(run.requests[0].swaps_out, 1) << "three of twelve blocks, and the host has three";
  EXPECT_EQ(run.requests[0].recomputed_tokens, 0);
}

}  // namespace
}  // namespace tokenyard::test
