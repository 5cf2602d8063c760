// Multi-level feedback queues: quanta, demotion and the order inside a level. A level is the
// primary part of a key.

#include <gtest/gtest.h>

#include "sim/kernel/input_error.hpp"
#include "tests/support/fake_scheduling.hpp"
#include "tests/support/integer_cost.hpp"
#include "tests/support/simulation.hpp"

namespace tokenyard::test {
namespace {

using namespace std::chrono_literals;
using Order = std::vector<std::uint32_t>;

/// A prompt token 0.1 ms, a decoding sequence 1 ms: one decode iteration at batch 1 takes 1 ms.
const IntegerCost& cost() {
  static const IntegerCost model({.prefill_token = 100us, .decode_sequence = 1ms});
  return model;
}

struct Bench : PolicyBench {
  explicit Bench(const std::string& policy) : PolicyBench(make_policy(policy), cost()) {}

  /// The levels that request 0 is at after each of `times` runs of `ran`.
  std::vector<int> levels_after(int times, Duration ran) {
    arrive(0);
    std::vector<int> levels;
    for (int i = 0; i < times; ++i) {
      context.advance(ran);
      progress(0, ran);
      levels.push_back(level(0));
    }
    return levels;
  }
};

// Would catch: a default quantum that is not one decode iteration of the cost model at batch 1,
// context 1, and a comparison that lets a used-up quantum (service equal to it) run on.
TEST(Mlfq, TheDefaultQuantumIsOneDecodeIterationAndEqualServiceUsesItUp) {
  EXPECT_EQ(Bench("mlfq").levels_after(1, 1ms), (std::vector<int>{1}));
  EXPECT_EQ(Bench("mlfq").levels_after(2, 1ms - 1ns), (std::vector<int>{0, 1}));
}

// Would catch: quanta that do not double: 1 ms at level 0, 2 ms at level 1, 4 ms at level 2.
TEST(Mlfq, EachQuantumIsTwiceTheOneAbove) {
  EXPECT_EQ(Bench("mlfq").levels_after(7, 1ms), (std::vector<int>{1, 1, 2, 2, 2, 2, 3}));
}

// Would catch: a base quantum or a ratio that is read and not used, or used in the wrong unit.
TEST(Mlfq, BaseQuantumAndRatioAreSettings) {
  EXPECT_EQ(Bench("mlfq:base_quantum_ms=2").levels_after(6, 1ms),
            (std::vector<int>{0, 1, 1, 1, 1, 2}));
  EXPECT_EQ(Bench("mlfq:ratio=3").levels_after(5, 1ms), (std::vector<int>{1, 1, 1, 2, 2}));
  EXPECT_EQ(Bench("mlfq:ratio=1").levels_after(4, 1ms), (std::vector<int>{1, 2, 3, 4}));
  EXPECT_EQ(Bench("mlfq:base_quantum_ms=0.5").levels_after(1, 500us), (std::vector<int>{1}));
}

// Would catch: a last level that demotes into one that does not exist.
TEST(Mlfq, TheLastOfAFixedNumberOfLevelsNeverDemotes) {
  EXPECT_EQ(Bench("mlfq:levels=2").levels_after(6, 1ms), (std::vector<int>{1, 1, 1, 1, 1, 1}));
  EXPECT_EQ(Bench("mlfq:levels=1").levels_after(3, 1ms), (std::vector<int>{0, 0, 0}));
}

// Would catch: naive MLFQ that places by the prompt: only skip-join may.
TEST(Mlfq, EveryRequestStartsAtTheTopWhateverItsPrompt) {
  Bench bench("mlfq");
  bench.arrive(0, 2000);
  EXPECT_EQ(bench.level(0), 0);
}

// Would catch: several levels for one long iteration where one was asked for.
TEST(Mlfq, DemoteOneSinksOneLevelHoweverLongItRan) {
  EXPECT_EQ(Bench("mlfq").levels_after(1, 100ms), (std::vector<int>{1}));
}

// Would catch: `fit` that looks at the last iteration and not the next: after a prefill of 20 ms
// the next is a decode of 1 ms, which fits level 1 already.
TEST(Mlfq, DemoteFitSinksToTheLevelThatFitsTheNextIteration) {
  Bench bench("mlfq:demote=fit");
  bench.arrive(0, 200);
  bench.progress(0, 20ms);
  EXPECT_EQ(bench.level(0), 1);
}

// Would catch: the same where a chunk leaves a long rest: 100 of 200 prompt tokens are still to be
// computed, 10 ms, which only level 4 (16 ms) covers.
TEST(Mlfq, DemoteFitSinksSeveralLevelsBeforeALongChunk) {
  Bench bench("mlfq:demote=fit");
  bench.arrive(0, 200);
  bench.progress(0, 10ms, 100);
  EXPECT_EQ(bench.level(0), 4);
  Bench capped("mlfq:demote=fit,levels=3");
  capped.arrive(0, 200);
  capped.progress(0, 10ms, 100);
  EXPECT_EQ(capped.level(0), 2) << "not below the last";
}

// Would catch: an overrun that is counted where it should be forgotten, and the reverse. 2.5 ms at
// level 0 (1 ms) leave 1.5 ms over; level 1 gives 2 ms.
TEST(Mlfq, AnOverrunIsForgottenOrCarriedAsAsked) {
  Bench forget("mlfq");
  forget.arrive(0);
  forget.progress(0, 2500us);
  forget.progress(0, 1999us);
  EXPECT_EQ(forget.level(0), 1);
  forget.progress(0, 1us);
  EXPECT_EQ(forget.level(0), 2);

  Bench carry("mlfq:overrun=carry");
  carry.arrive(0);
  carry.progress(0, 2500us);
  EXPECT_EQ(carry.level(0), 1);
  carry.progress(0, 499us);
  EXPECT_EQ(carry.level(0), 1);
  carry.progress(0, 1us);
  EXPECT_EQ(carry.level(0), 2);
}

/// Requests 0, 1, 2 arrive in this order, a millisecond apart; then 2 and after it 0 sink to level
/// 1, where 1 follows last.
Order order_at_level_one(const std::string& policy) {
  Bench bench(policy);
  for (std::uint32_t id = 0; id < 3; ++id) {
    bench.arrive(id);
    bench.context.advance(1ms);
  }
  bench.progress(2, 1ms);
  bench.progress(0, 1ms);
  bench.progress(1, 1ms);
  return bench.ranking.order();
}

// Would catch: a level in another order than by joining it, its reverse, or by arrival.
TEST(Mlfq, TheOrderInsideALevelIsByJoiningItsReverseOrByArrival) {
  EXPECT_EQ(order_at_level_one("mlfq"), (Order{2, 0, 1}));
  EXPECT_EQ(order_at_level_one("mlfq:order=fifo"), (Order{2, 0, 1}));
  EXPECT_EQ(order_at_level_one("mlfq:order=lifo"), (Order{1, 0, 2}));
  EXPECT_EQ(order_at_level_one("mlfq:order=arrival"), (Order{0, 1, 2}));
}

// Would catch: a request that is moved to the back by running within its quantum (round robin is
// not asked for), or served after a level below.
TEST(Mlfq, APlaceIsKeptWithinTheQuantumAndLevelsComeFirst) {
  Bench bench("mlfq:base_quantum_ms=2");
  bench.arrive(0);
  bench.arrive(1);
  bench.progress(0, 1ms);
  EXPECT_EQ(bench.ranking.order(), (Order{0, 1}));
  bench.progress(0, 1ms);
  EXPECT_EQ(bench.ranking.order(), (Order{1, 0}));
}

// Would catch: recomputation that comes free, or an eviction that joins a level anew.
TEST(Mlfq, RecomputationCountsAsServiceAndAnEvictionKeepsThePlace) {
  Bench bench("mlfq:base_quantum_ms=3");
  bench.arrive(0);
  bench.arrive(1);
  bench.progress(0, 2ms);
  const std::size_t calls = bench.ranking.calls.size();
  bench.evict(0);
  EXPECT_EQ(bench.ranking.calls.size(), calls);
  EXPECT_EQ(bench.ranking.order(), (Order{0, 1}));
  bench.progress(0, 1ms);  // the recomputing prefill
  EXPECT_EQ(bench.level(0), 1);
}

// Would catch: a slot's new tenant that inherits the service or the level of the last.
TEST(Mlfq, ARecycledSlotStartsAfresh) {
  Bench bench("mlfq:base_quantum_ms=3");
  bench.arrive(0);
  bench.progress(0, 2ms);
  bench.end(0);
  bench.arrive(0);
  bench.progress(0, 2ms);
  EXPECT_EQ(bench.level(0), 0);
}

// Would catch: values that make no queue, and typing errors.
TEST(Mlfq, RefusesBadParameters) {
  for (const char* bad :
       {"base_quantum_ms=0", "base_quantum_ms=-1", "base_quantum_ms=x", "ratio=0.9", "ratio=0",
        "levels=-1", "levels=1.5", "demote=two", "overrun=keep", "order=random",
        "promote_after_ms=-1", "quantum=3", "ratio=1,demote=fit"}) {
    EXPECT_THROW(make_policy(std::string("mlfq:") + bad), InputError) << bad;
  }
  EXPECT_NO_THROW(make_policy("mlfq:ratio=1"));
  EXPECT_NO_THROW(make_policy("mlfq:ratio=1,demote=fit,levels=4"));
}

}  // namespace
}  // namespace tokenyard::test
