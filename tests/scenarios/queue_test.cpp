// Who waits, who runs, and how many of each; 10 ms an iteration.

#include <gtest/gtest.h>

#include "tests/scenarios/scenario.hpp"

namespace tokenyard::test {
namespace {

// Would catch: a request that is left out although the budget allows it, a prompt that is cut, or
// an order other than that of arrival.
TEST(Queue, GivenRoomForAllThenTheFirstStepTakesEveryPromptWholeAndInOrder) {
  std::vector<Job> jobs;
  Lines expected = {"0:"};
  for (int i = 0; i < 10; ++i) {
    jobs.push_back({.prompt_tokens = 10 + i, .output_tokens = 1});
    expected.back() += fmt::format(" {}+{}", i, 10 + i);
  }
  const Outcome run = simulate(jobs, "fcfs", ten_ms());
  EXPECT_EQ(plan(run), expected);
  EXPECT_EQ(run.decisions[0].waiting, 0);
}

/// The requests that are live when each iteration begins: those in it and those that wait.
std::vector<std::int64_t> live(const Outcome& run) {
  std::vector<std::int64_t> counts;
  for (const Decision& decision : run.decisions) {
    counts.push_back(decision.waiting + static_cast<std::int64_t>(decision.requests.size()));
  }
  return counts;
}

// Would catch: a request that is counted after its end, or not before it, however it ends: of six,
// one finishes at each of 10, 20 and 30, and one gives up while it runs (at 40), waits (at 50), or
// is turned away at once.
TEST(Queue, GivenEndsOfAllKindsThenTheCountFallsOneByOne) {
  ServerSettings settings = pool_of(40);
  settings.limits.max_num_seqs = 1;
  const Outcome run = simulate({{.output_tokens = 1},
                                {.output_tokens = 1},
                                {.output_tokens = 1},
                                {.output_tokens = 9, .cancel_after = 35ms},
                                {.output_tokens = 1},
                                {.output_tokens = 2, .cancel_after = 45ms},
                                {.prompt_tokens = 41}},
                               "fcfs", ten_ms(), settings);
  EXPECT_EQ(plan(run), (Lines{"0: 0+1", "10: 1+1", "20: 2+1", "30: 3+1", "40: 4+1"}));
  EXPECT_EQ(live(run), (std::vector<std::int64_t>{6, 5, 4, 3, 2}));
  EXPECT_EQ(run.requests[5].end, End::cancelled);
  EXPECT_EQ(ended_ms(run, 5), 50);
  EXPECT_EQ(run.requests[6].end, End::rejected);
}

// Would catch: chunking that holds a prompt back where it could be cut, and its absence cutting it
// or letting those behind it go ahead.
TEST(Queue, GivenAPromptBeyondTheBudgetLeftThenItIsCutOnlyWithChunking) {
  const std::vector<Job> jobs = {
      {.prompt_tokens = 60}, {.prompt_tokens = 60}, {.prompt_tokens = 10}};
  ServerSettings settings = ample();
  settings.limits.max_num_batched_tokens = 100;
  EXPECT_EQ(plan(simulate(jobs, "fcfs", ten_ms(), settings)), (Lines{"0: 0+60", "10: 1+60 2+10"}));
  settings.limits.chunk_tokens = 100;
  EXPECT_EQ(plan(simulate(jobs, "fcfs", ten_ms(), settings)),
            (Lines{"0: 0+60 1+40", "10: 1+20 2+10"}));
}

// Would catch: a sequence admitted beyond the limit because there are tokens and blocks left.
TEST(Queue, GivenTokensAndBlocksLeftThenTheNumberOfSequencesStillLimits) {
  ServerSettings settings = ample();
  settings.limits.max_num_seqs = 3;
  std::vector<Job> jobs(5, Job{.prompt_tokens = 2, .output_tokens = 2});
  EXPECT_EQ(plan(simulate(jobs, "fcfs", ten_ms(), settings)),
            (Lines{"0: 0+2 1+2 2+2", "10: 0+1 1+1 2+1", "20: 3+2 4+2", "30: 3+1 4+1"}));
}

}  // namespace
}  // namespace tokenyard::test
