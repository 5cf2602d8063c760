// The state machine itself, fed by hand.

#include "sim/server/scheduler.hpp"

#include <gtest/gtest.h>

#include "sim/kernel/invariant.hpp"
#include "tests/support/by_hand.hpp"

namespace tokenyard::test {
namespace {

using Requests = std::vector<std::uint32_t>;

// Would catch: an iteration decided out of nothing.
TEST(Scheduler, WithoutRequestsItDecidesNothing) {
  SchedulerByHand bench(ample());
  EXPECT_EQ(bench.pass(0), Requests{});
  EXPECT_TRUE(bench.last->empty());
  EXPECT_TRUE(bench.scheduler.drained());
  EXPECT_FALSE(bench.scheduler.anything_in_flight());
}

// Would catch: slots that say something else than what an executor must do.
TEST(Scheduler, ASlotSaysWhatIsToBeComputed) {
  ServerSettings settings = ample();
  settings.limits.chunk_tokens = 20;
  SchedulerByHand bench(settings);
  bench.arrival(0, 0, 36);
  bench.pass(0);
  const Slot chunk = bench.last->slots.at(0);
  EXPECT_EQ(chunk.computed, 0);
  EXPECT_EQ(chunk.new_tokens, 20);
  EXPECT_TRUE(chunk.prefill);
  EXPECT_FALSE(chunk.yields);
  EXPECT_EQ(chunk.blocks.size(), 2u) << "20 tokens in blocks of 16";
  bench.end(10, 0, {false});
  bench.pass(10);
  const Slot rest = bench.last->slots.at(0);
  EXPECT_EQ(rest.computed, 20);
  EXPECT_EQ(rest.new_tokens, 16);
  EXPECT_TRUE(rest.prefill && rest.yields);
  bench.end(20, 1, {false});
  bench.pass(20);
  const Slot decode = bench.last->slots.at(0);
  EXPECT_EQ(decode.computed, 36);
  EXPECT_EQ(decode.new_tokens, 1);
  EXPECT_EQ(decode.generated, 1);
  EXPECT_TRUE(decode.yields);
  EXPECT_FALSE(decode.prefill || decode.padding);
  EXPECT_EQ(decode.blocks.size(), 3u);
}

// Would catch: an executor's wrong report taken as it is, which would lose or double tokens.
TEST(Scheduler, AWrongReportOfAnIterationBreaksAnInvariant) {
  const std::vector<bool> too_few = {false}, right = {false, false}, too_many(3, false);
  for (const auto& outcomes : {too_few, too_many}) {
    SchedulerByHand bench(ample());
    bench.arrival(0, 0);
    bench.arrival(0, 1);
    bench.pass(0);
    bench.end(10, 0, outcomes);
    EXPECT_THROW(bench.pass(10), InvariantBroken) << outcomes.size() << " outcomes";
  }
  SchedulerByHand bench(ample());
  bench.arrival(0, 0);
  bench.arrival(0, 1);
  bench.pass(0);
  bench.end(10, 7, right);
  EXPECT_THROW(bench.pass(10), InvariantBroken) << "an iteration that was never begun";
}

// Would catch: an end posted twice: every token of the batch would count double.
TEST(Scheduler, AnIterationThatEndsTwiceBreaksAnInvariant) {
  SchedulerByHand bench(ample());
  bench.arrival(0, 0);
  bench.pass(0);
  bench.end(10, 0, {false});
  bench.end(10, 0, {false});
  EXPECT_THROW(bench.pass(10), InvariantBroken);
}

// Would catch: an end before its beginning, and a clock that runs back.
TEST(Scheduler, TimeThatRunsBackBreaksAnInvariant) {
  SchedulerByHand bench(ample());
  bench.arrival(5, 0);
  bench.pass(5);
  bench.end(4, 0, {false});
  EXPECT_THROW(bench.pass(6), InvariantBroken);

  SchedulerByHand other(ample());
  other.pass(5);
  EXPECT_THROW(other.pass(4), InvariantBroken);
}

// Would catch: a request that ends in a chunk, without a token; and one that never ends although
// it has all the tokens that it may have.
TEST(Scheduler, AnEndWithoutATokenOrTokensWithoutAnEndBreakAnInvariant) {
  ServerSettings settings = ample();
  settings.limits.chunk_tokens = 2;
  SchedulerByHand early(settings);
  early.arrival(0, 0, 4);
  early.pass(0);
  early.end(10, 0, {true});
  EXPECT_THROW(early.pass(10), InvariantBroken);

  SchedulerByHand late(ample());
  late.arrival(0, 0, 4, 1);
  late.pass(0);
  late.end(10, 0, {false});
  late.pass(10);
  late.end(20, 1, {false});
  EXPECT_THROW(late.pass(20), InvariantBroken);
}

// Would catch: an id that lives twice.
TEST(Scheduler, ARequestThatArrivesTwiceBreaksAnInvariant) {
  SchedulerByHand bench(ample());
  bench.arrival(0, 0);
  bench.arrival(0, 0);
  EXPECT_THROW(bench.pass(0), InvariantBroken);
}

// Would catch: a pass that does not keep to what the executor can hold, or that tells the policy
// again of what happened in the last one: 1 lost its blocks at 10 and is cancelled at 12.
TEST(Scheduler, APassWhileTheExecutorIsFullTakesWhatIsDueAndDecidesNothing) {
  ServerSettings settings = ample();
  settings.kv = {.block_size = 1, .device_blocks = 6};
  SchedulerByHand bench(settings, 1, "mlfq");
  bench.arrival(0, 0, 3);
  bench.arrival(0, 1, 3);
  EXPECT_EQ(bench.pass(0), (Requests{0, 1}));
  bench.end(10, 0, {false, false});
  EXPECT_EQ(bench.pass(10), (Requests{0}));
  bench.cancellation(12, 1);
  EXPECT_EQ(bench.pass(12), Requests{});
  EXPECT_EQ(bench.facts.of(1).end, End::cancelled);
  bench.arrival(13, 2, 3);
  EXPECT_EQ(bench.pass(13), Requests{});
  bench.end(20, 1, {true});
  EXPECT_EQ(bench.pass(20), (Requests{2}));
}

// Would catch: what the loop relies on to call workloads back: who ended in this pass, and only
// those.
TEST(Scheduler, ItNamesWhoEndedInTheLastPass) {
  ServerSettings settings = ample();
  settings.kv = {.block_size = 1, .device_blocks = 10};
  SchedulerByHand bench(settings);
  bench.arrival(0, 0);
  bench.arrival(0, 1);
  bench.arrival(0, 2, 10);  // fills the pool: rejected
  bench.pass(0);
  EXPECT_EQ(bench.scheduler.ended(), (std::vector<RequestId>{RequestId{2}}));
  bench.end(10, 0, {true, false});
  bench.cancellation(9, 1);
  bench.pass(10);
  EXPECT_EQ(bench.scheduler.ended(), (std::vector<RequestId>{RequestId{0}, RequestId{1}}));
  bench.pass(11);
  EXPECT_TRUE(bench.scheduler.ended().empty());
  EXPECT_TRUE(bench.scheduler.drained());
}

}  // namespace
}  // namespace tokenyard::test
