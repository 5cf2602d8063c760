#include "sim/server/cohort.hpp"

#include <gtest/gtest.h>

#include "sim/kernel/invariant.hpp"

namespace tokenyard {
namespace {

constexpr std::int64_t kBlockSize = 16;

using namespace std::chrono_literals;

/// A request of 10 prompt tokens that has produced one, in blocks of 16 tokens.
LiveRequest decoding(std::uint32_t id, std::int64_t max_tokens = 100) {
  LiveRequest live;
  live.view.id = RequestId{id};
  live.view.prompt_tokens = 10;
  live.view.max_tokens = max_tokens;
  live.view.computed = 10;
  live.view.generated = 1;
  live.covered_tokens = 16;
  live.last_token = kOrigin + 5ms;
  return live;
}

// Would catch: tokens or service counted twice or not at all when a member is brought up to date.
TEST(Cohort, BringsAMemberUpToDate) {
  Cohort cohort(kBlockSize);
  LiveRequest first = decoding(0), second = decoding(1);
  cohort.join(0, first, Duration::max());
  cohort.produce(3, kOrigin + 20ms);
  cohort.serve(15ms, 4);
  second.view.computed = 13;
  second.last_token = kOrigin + 20ms;
  cohort.join(1, second, Duration::max());
  cohort.produce(2, kOrigin + 30ms);
  cohort.serve(10ms, 6);
  for (int twice = 0; twice < 2; ++twice) {
    cohort.catch_up(first);
    cohort.catch_up(second);
  }
  EXPECT_EQ(first.view.computed, 15);
  EXPECT_EQ(first.view.generated, 6);
  EXPECT_EQ(first.view.served, 25ms);
  EXPECT_EQ(first.untold, 25ms);
  EXPECT_EQ(second.view.computed, 15);
  EXPECT_EQ(second.view.served, 10ms);
  EXPECT_EQ(second.view.last_iteration, 6U);
  EXPECT_EQ(second.view.last_ran, kOrigin + 30ms);
  EXPECT_EQ(cohort.context_tokens(), 16 + 16);
}

// Would catch: a block that is asked for an iteration late or early, or for the wrong member.
TEST(Cohort, KnowsWhoLacksABlock) {
  Cohort cohort(kBlockSize);
  LiveRequest first = decoding(0), second = decoding(1);
  second.view.computed = 14;
  cohort.join(0, first, Duration::max());
  cohort.join(1, second, Duration::max());
  EXPECT_EQ(cohort.lacking(), 0);
  EXPECT_EQ(cohort.covered(1), 2);
  cohort.produce(2, kOrigin + 10ms);
  EXPECT_EQ(cohort.lacking(), 1);
  EXPECT_EQ(cohort.covered(1), 0);
  cohort.grow(1);
  EXPECT_EQ(cohort.lacking(), 0);
  EXPECT_EQ(cohort.covered(0), 4);
  EXPECT_EQ(cohort.covered(1), 16);
}

// Would catch: blocks of a macro-step that are counted for the wrong iteration, once for a member
// that needs several, or again when the next one begins.
TEST(Cohort, GrantsTheBlocksOfManyIterationsAtOnce) {
  Cohort cohort(kBlockSize);
  LiveRequest first = decoding(0), second = decoding(1, 100);
  second.view.computed = 14;
  cohort.join(0, first, Duration::max());
  cohort.join(1, second, Duration::max());
  std::vector<std::int64_t> grown(20, 0);
  cohort.grow_all(19, grown);
  std::vector<std::int64_t> expected(20, 0);
  expected[6] = 1;   // the first, at 16 tokens
  expected[2] = 1;   // the second, at 16
  expected[18] = 1;  // and at 32
  grown[19] = 0;     // stands behind them
  EXPECT_EQ(grown, expected);
  EXPECT_EQ(cohort.covered(0), 22);
  EXPECT_EQ(cohort.covered(1), 34);
}

// Would catch: a view that lags behind the blocks that its request was pledged.
TEST(Cohort, TellsOfPledgedBlocks) {
  Cohort cohort(kBlockSize);
  LiveRequest live = decoding(0, 100);
  live.view.blocks_held = 1;
  cohort.join(0, live, Duration::max());
  cohort.produce(6, kOrigin + 10ms);
  cohort.catch_up(live);
  EXPECT_EQ(live.view.computed, 16);
  EXPECT_EQ(live.view.blocks_held, 1);
  cohort.begin();
  cohort.catch_up(live);
  EXPECT_EQ(live.view.blocks_held, 2);
}

// Would catch: a policy that is told too late, or of the wrong request after others have left.
TEST(Cohort, HeedsAMemberWhenItsPolicyWantsToHear) {
  Cohort cohort(kBlockSize);
  LiveRequest first = decoding(0), second = decoding(1), third = decoding(2);
  cohort.join(0, first, 30ms);
  cohort.join(1, second, Duration::max());
  cohort.join(0, third, 50ms);
  EXPECT_EQ(cohort.least_heed(), 30ms);
  cohort.produce(1, kOrigin + 20ms);
  cohort.serve(20ms, 2);
  EXPECT_FALSE(cohort.heeds(1, 9ms));
  EXPECT_TRUE(cohort.heeds(1, 10ms));
  cohort.detach(first);
  cohort.erase(1, 2);
  EXPECT_FALSE(first.in_cohort);
  EXPECT_EQ(cohort.size(), 2U);
  EXPECT_TRUE(cohort.heeds(0, 30ms));
  EXPECT_FALSE(cohort.heeds(1, 1h));
  EXPECT_EQ(cohort.indifference(0), 30ms);
}

// Would catch: a sequence that the executor never ends running on beyond its bound.
TEST(Cohort, TokensBeyondTheBoundBreakAnInvariant) {
  Cohort cohort(kBlockSize);
  LiveRequest live = decoding(0, 3);
  cohort.join(0, live, Duration::max());
  cohort.produce(2, kOrigin + 10ms);
  EXPECT_THROW(cohort.produce(1, kOrigin + 20ms), InvariantBroken);
}

}  // namespace
}  // namespace tokenyard
