// Chunked prefill: a prompt in parts of at most `chunk_tokens`, within the tokens of an iteration.

#include <gtest/gtest.h>

#include "tests/scenarios/scenario.hpp"

namespace tokenyard::test {
namespace {

ServerSettings chunks(std::int64_t chunk, std::int64_t budget) {
  ServerSettings settings = ample();
  settings.limits.chunk_tokens = chunk;
  settings.limits.max_num_batched_tokens = budget;
  return settings;
}

// Would catch: chunks that ignore the budget (400/400/400), do not use what is left of it, or give
// the first request more than a chunk.
TEST(ChunkedPrefill, GivenThreePromptsOf800AndABudgetOf1024ThenTheThirdGetsTheRest) {
  const Outcome run = simulate({{.prompt_tokens = 800, .output_tokens = 2},
                                {.prompt_tokens = 800, .output_tokens = 2},
                                {.prompt_tokens = 800, .output_tokens = 1}},
                               "fcfs", ten_ms(), chunks(400, 1024));
  EXPECT_EQ(plan(run),
            (Lines{"0: 0+400 1+400 2+224", "10: 0+400 1+400 2+224", "20: 0+1 1+1 2+352"}));
  EXPECT_EQ(first_token_ms(run, 0), 20);
  EXPECT_EQ(first_token_ms(run, 2), 30);
}

// Would catch: a token yielded by every chunk, or none by the last.
TEST(ChunkedPrefill, GivenAPromptInThreeChunksThenOnlyTheLastYieldsAToken) {
  const Outcome run =
      simulate({{.prompt_tokens = 25, .output_tokens = 2}}, "fcfs", ten_ms(), chunks(10, 100));
  EXPECT_EQ(plan(run), (Lines{"0: 0+10", "10: 0+10", "20: 0+5", "30: 0+1"}));
  EXPECT_EQ(first_token_ms(run, 0), 30);
  EXPECT_EQ(phases(run, 0), "queue 0 prefill 30 decode 10 preempted 0 swap 0");
}

// Would catch: a last chunk of one token that is charged as a decode, or a context that forgets
// the chunks before.
TEST(ChunkedPrefill, GivenALastChunkOfOneTokenThenItIsStillPrefillWithTheWholeContext) {
  const Outcome run =
      simulate({{.prompt_tokens = 21, .output_tokens = 1}}, "fcfs", ten_ms(), chunks(10, 100));
  ASSERT_EQ(run.decisions.size(), 3u);
  EXPECT_EQ(run.decisions[1].load, IterationLoad::one_prefill(10, 20));
  EXPECT_EQ(run.decisions[2].load, IterationLoad::one_prefill(1, 21));
}

// Would catch: a decode that waits behind the chunks of a long prompt, or a budget that decodes do
// not lessen.
TEST(ChunkedPrefill, GivenADecodeThenTheChunkGetsWhatItLeavesOfTheBudget) {
  const Outcome run = simulate(
      {{.prompt_tokens = 4, .output_tokens = 4}, {.arrival = at_ms(1), .prompt_tokens = 25}},
      "fcfs", ten_ms(), chunks(10, 10));
  EXPECT_EQ(plan(run), (Lines{"0: 0+4", "10: 0+1 1+9", "20: 0+1 1+9", "30: 0+1 1+7"}));
}

// Would catch: a walk that goes on after the budget is spent.
TEST(ChunkedPrefill, GivenASpentBudgetThenTheWalkStops) {
  const Outcome run = simulate({{.prompt_tokens = 8}, {.prompt_tokens = 8}, {.prompt_tokens = 8}},
                               "fcfs", ten_ms(), chunks(100, 10));
  EXPECT_EQ(plan(run), (Lines{"0: 0+8 1+2", "10: 1+6 2+4", "20: 2+4"}));
}

// Would catch: chunks that are not interrupted by a better-ranked arrival, or begun again after it.
TEST(ChunkedPrefill, GivenABetterRankedArrivalThenThePromptWaitsAndGoesOnWhereItWas) {
  ServerSettings settings = chunks(10, 100);
  settings.limits.max_num_seqs = 1;
  const Outcome run = simulate({{.prompt_tokens = 20, .output_tokens = 9},
                                {.arrival = at_ms(5), .prompt_tokens = 3, .output_tokens = 1}},
                               "srpt", ten_ms(), settings);
  const Lines lines = plan(run);
  EXPECT_EQ(Lines(lines.begin(), lines.begin() + 4),
            (Lines{"0: 0+10", "10: 1+3", "20: 0+10", "30: 0+1"}));
  EXPECT_EQ(phases(run, 0), "queue 0 prefill 20 decode 80 preempted 10 swap 0");
  EXPECT_EQ(run.requests[0].recomputed_tokens, 0);
}

}  // namespace
}  // namespace tokenyard::test
