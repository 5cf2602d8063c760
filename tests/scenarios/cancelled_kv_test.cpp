// A client gives up, wherever the KV of its request is: blocks of one token, 10 ms an iteration,
// 2 ms a copied block. An executor watches the contents; an audit at each iteration and after the
// last end finds blocks that stay taken.

#include <gtest/gtest.h>

#include "tests/scenarios/scenario.hpp"
#include "tests/support/content_executor.hpp"

namespace tokenyard::test {
namespace {

const IntegerCost& two_ms_a_block() {
  static const IntegerCost cost({.iteration = 10ms, .copy_block = 2ms});
  return cost;
}

Outcome watched(const std::vector<Job>& jobs, const ServerSettings& settings,
                ContentOptions options = {}) {
  return simulate(jobs, "fcfs", two_ms_a_block(), settings, true, nullptr,
                  checking_content(jobs, settings, std::move(options)));
}

ServerSettings swapping(std::int64_t blocks, std::int64_t host_blocks) {
  ServerSettings settings = pool_of(blocks);
  settings.kv.evict = Evict::swap;
  settings.kv.host_blocks = host_blocks;
  return settings;
}

/// Eleven blocks are short at 20: the last of the three then gives up its three.
std::vector<Job> three_jobs(Duration cancel_last_after) {
  return {{.prompt_tokens = 3, .output_tokens = 4},
          {.prompt_tokens = 3, .output_tokens = 4},
          {.prompt_tokens = 3, .output_tokens = 2, .cancel_after = cancel_last_after}};
}

void expect_cancelled(const Outcome& run, std::size_t request, std::int64_t ms,
                      std::int64_t sequence_tokens) {
  EXPECT_EQ(run.requests.at(request).end, End::cancelled);
  EXPECT_EQ(ended_ms(run, request), ms);
  EXPECT_EQ(run.requests.at(request).sequence_tokens, sequence_tokens);
}

// Would catch: a half-computed prompt whose blocks stay taken: 1, evicted at 10, fits only when
// they are free.
TEST(CancelledKv, GivenAPromptHalfComputedThenItsBlocksAreFreeAtTheBoundary) {
  ServerSettings settings = pool_of(10);
  settings.limits.chunk_tokens = 4;
  const Outcome run = watched(
      {{.prompt_tokens = 9, .output_tokens = 1, .cancel_after = 15ms}, {.prompt_tokens = 9}},
      settings);
  EXPECT_EQ(plan(run), (Lines{"0: 0+4 1+4", "10: 0+4", "20: 1+4", "30: 1+4", "40: 1+1"}));
  expect_cancelled(run, 0, 20, 0);
}

// Would catch: a request without KV that comes back to compute all again for nobody.
TEST(CancelledKv, GivenAnEvictedRequestThenItLeavesAtTheBoundaryAndIsNotRecomputed) {
  const Outcome run = watched(three_jobs(25ms), pool_of(11));
  EXPECT_EQ(plan(run),
            (Lines{"0: 0+3 1+3 2+3", "10: 0+1 1+1", "20: 0+1 1+1", "30: 0+1", "40: 1+1"}));
  expect_cancelled(run, 2, 30, 1);
  EXPECT_EQ(run.requests[2].recomputed_tokens, 0);
}

// Would catch: a request that leaves while a copy still reads its blocks (from 20 to 26).
TEST(CancelledKv, GivenACopyOutThenItLeavesWhenThatHasEnded) {
  const Outcome run = watched(three_jobs(22ms), swapping(11, 100));
  expect_cancelled(run, 2, 26, 1);
}

// Would catch: host blocks that stay taken. The host has three: only if 2, there since 26, has left
// at 36 can the later 4 be copied out in its turn, instead of losing its KV.
TEST(CancelledKv, GivenKvOnTheHostThenItsBlocksThereAreFreeAtTheBoundary) {
  auto jobs = three_jobs(30ms);
  for (int i = 0; i < 3; ++i) {
    jobs.push_back({.arrival = at_ms(50), .prompt_tokens = 3, .output_tokens = 4});
  }
  const Outcome run = watched(jobs, swapping(11, 3));
  expect_cancelled(run, 2, 36, 1);
  EXPECT_EQ(run.requests[2].swaps_in, 0);
  EXPECT_EQ(run.requests[5].swaps_out, 1);
}

// Would catch: a request that leaves while a copy still writes its blocks (from 46 to 52, taken at
// the boundary at 56), or that runs once more.
TEST(CancelledKv, GivenACopyBackThenItLeavesAtTheBoundaryAfterIt) {
  const Outcome run = watched(three_jobs(48ms), swapping(11, 100));
  expect_cancelled(run, 2, 56, 1);
  EXPECT_EQ(run.requests[2].swaps_in, 1);
  EXPECT_EQ(plan(run).back(), "46: 1+1");
}

// Would catch: a copy that fails for a request that is going to leave: it must end once, and nobody
// may compute for it again.
TEST(CancelledKv, GivenACopyThatFailsThenTheCancelledIsNotRecomputed) {
  const Outcome run =
      watched(three_jobs(22ms), swapping(11, 100), {.copy_fails = [](CopyId) { return true; }});
  expect_cancelled(run, 2, 26, 1);
  EXPECT_EQ(run.requests[2].recomputed_tokens, 0);
}

// Would catch: blocks reserved for a request that settled (it lost its KV as often as it may, and
// is recomputed from 50 with room for its six tokens) that stay taken: 3 needs ten of
// the eleven.
TEST(CancelledKv, GivenAReservationThenItIsFreeAtTheBoundary) {
  ServerSettings settings = pool_of(11);
  settings.limits.max_preemptions = 1;
  auto jobs = three_jobs(55ms);
  jobs[2].max_tokens = 3;
  jobs[2].output_tokens = 3;
  jobs.push_back({.arrival = at_ms(45), .prompt_tokens = 10, .output_tokens = 1});
  const Outcome run = watched(jobs, settings);
  expect_cancelled(run, 2, 60, 2);
  EXPECT_EQ(plan(run).at(5), "50: 2+4");
  EXPECT_EQ(run.decisions.at(5).kv_blocks_used, 6);
  EXPECT_EQ(plan(run).back(), "60: 3+10");
}

/// Three samples of prompt 4 and a single request that waits for their blocks.
std::vector<Job> three_samples(Duration cancel_after) {
  return {{.prompt_tokens = 4, .cancel_after = cancel_after, .sample_tokens = {5, 5, 5}},
          {.prompt_tokens = 17, .output_tokens = 2}};
}

// Would catch: a sequence, or a shared block, of a cancelled request that is forgotten.
TEST(CancelledKv, GivenSamplesThenAllTheirBlocksAreFreeAtTheBoundary) {
  const Outcome run = watched(three_samples(15ms), pool_of(20));
  EXPECT_EQ(run.decisions.at(1).kv_blocks_used, 4 + 3) << "the prompt once, a token each";
  expect_cancelled(run, 0, 20, 6);
  EXPECT_EQ(plan(run).at(2), "20: 1+17");
}

// Would catch: the same for beams, whose tables change hands at each step.
TEST(CancelledKv, GivenBeamsThenAllTheirBlocksAreFreeAtTheBoundary) {
  std::vector<Job> jobs = {
      {.prompt_tokens = 4, .output_tokens = 6, .cancel_after = 35ms, .beams = 3},
      {.prompt_tokens = 21, .output_tokens = 2}};
  const Outcome run = watched(jobs, pool_of(24));
  expect_cancelled(run, 0, 40, 12);
  EXPECT_EQ(plan(run).at(4), "40: 1+21");
  EXPECT_EQ(run.decisions.at(4).kv_blocks_used, 21);
}

/// A request that grows, and two samples (prompt 4) that must give way to it at 20.
std::vector<Job> growing_beside_samples(std::optional<Duration> cancel_after) {
  return {{.prompt_tokens = 5, .output_tokens = 5},
          {.prompt_tokens = 4, .cancel_after = cancel_after, .sample_tokens = {4, 4}}};
}

// Would catch: the tables of several sequences mixed up on their way out or back, and a second
// sequence whose host blocks stay taken. At 20 they have 4 + 2 blocks: 12 ms out, then the host,
// then 12 ms back.
TEST(CancelledKv, GivenSamplesOnTheirWayThenAllTheirBlocksAreFreeWhereverTheyAre) {
  const ServerSettings settings = swapping(12, 6);
  const Outcome whole = watched(growing_beside_samples(std::nullopt), settings);
  ASSERT_EQ(whole.requests[1].swaps_out, 1);
  ASSERT_EQ(whole.requests[1].swaps_in, 1);
  ASSERT_EQ(whole.requests[1].recomputed_tokens, 0);
  const Duration last_begun = whole.decisions.back().begun - kOrigin;
  for (auto after = 0ms; after <= whole.jct(1); after += 1ms) {
    const Outcome run = watched(growing_beside_samples(after), settings);
    EXPECT_EQ(run.requests[0].end, End::finished);
    EXPECT_EQ(run.requests[1].end, after <= last_begun ? End::cancelled : End::finished)
        << after / 1ms;
    EXPECT_GE(run.requests[1].ended, kOrigin + std::min<Duration>(after, whole.jct(1)));
  }
}

// Would catch: a finished member of a static batch that is lost, or ends twice, because its client
// gave up while it waited for the others: it has its tokens and ends with the batch, as cancelled.
TEST(CancelledKv, GivenAFinishedMemberOfAStaticBatchThenItEndsOnceWithTheBatch) {
  ServerSettings settings = pool_of(40);
  settings.limits.static_batching = true;
  const Outcome run = watched({{.prompt_tokens = 3, .output_tokens = 2, .cancel_after = 25ms},
                               {.prompt_tokens = 3, .output_tokens = 4}},
                              settings);
  expect_cancelled(run, 0, 40, 2);
  EXPECT_EQ(run.requests[1].end, End::finished);
}

// Would catch: samples in a static batch that are forgotten when they leave before their time.
TEST(CancelledKv, GivenSamplesInAStaticBatchThenTheyEndWithTheBatch) {
  ServerSettings settings = pool_of(40);
  settings.limits.static_batching = true;
  std::vector<Job> jobs = three_samples(15ms);
  jobs[1].output_tokens = 4;
  const Outcome run = watched(jobs, settings);
  expect_cancelled(run, 0, 40, 6);
  EXPECT_EQ(run.requests[1].end, End::finished);
}

}  // namespace
}  // namespace tokenyard::test
