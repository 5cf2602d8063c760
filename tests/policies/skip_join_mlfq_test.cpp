// Where a prompt joins (FastServe, section 4.1), and promotion, which both queues share.

#include <gtest/gtest.h>

#include "sim/kernel/input_error.hpp"
#include "tests/support/fake_scheduling.hpp"
#include "tests/support/integer_cost.hpp"
#include "tests/support/simulation.hpp"

namespace tokenyard::test {
namespace {

using namespace std::chrono_literals;
using Order = std::vector<std::uint32_t>;

/// A prompt token 0.1 ms, a decoding sequence 1 ms: quanta are 1, 2, 4, 8 … ms by default.
const IntegerCost& cost() {
  static const IntegerCost model({.prefill_token = 100us, .decode_sequence = 1ms});
  return model;
}

struct Bench : PolicyBench {
  explicit Bench(const std::string& policy) : PolicyBench(make_policy(policy), cost()) {}
};

int joins_at(const std::string& policy, std::int64_t prompt_tokens) {
  Bench bench(policy);
  bench.arrive(0, prompt_tokens);
  return bench.level(0);
}

// Would catch: a join one level too low or too high: the first level whose quantum is at least the
// prefill, so a prefill of exactly the quantum joins there.
TEST(SkipJoinMlfq, JoinsTheFirstLevelWhoseQuantumCoversThePrefill) {
  EXPECT_EQ(joins_at("skip-join-mlfq", 1), 0);
  EXPECT_EQ(joins_at("skip-join-mlfq", 10), 0) << "1 ms";
  EXPECT_EQ(joins_at("skip-join-mlfq", 11), 1);
  EXPECT_EQ(joins_at("skip-join-mlfq", 20), 1) << "2 ms";
  EXPECT_EQ(joins_at("skip-join-mlfq", 21), 2);
  EXPECT_EQ(joins_at("skip-join-mlfq", 1000), 7) << "100 ms, quantum 128 ms";
}

// Would catch: levels beyond the last of a fixed number.
TEST(SkipJoinMlfq, ALongPromptJoinsTheLastLevelWhereThereIsOne) {
  EXPECT_EQ(joins_at("skip-join-mlfq:levels=3", 1000), 2);
  EXPECT_EQ(joins_at("skip-join-mlfq:ratio=1,levels=4", 1000), 3);
  EXPECT_EQ(joins_at("skip-join-mlfq:ratio=1,levels=4", 10), 0);
}

// Would catch: settings that skip-join ignores.
TEST(SkipJoinMlfq, QuantumAndRatioDecideTheLevel) {
  EXPECT_EQ(joins_at("skip-join-mlfq:base_quantum_ms=30", 300), 0);
  EXPECT_EQ(joins_at("skip-join-mlfq:base_quantum_ms=30", 301), 1);
  EXPECT_EQ(joins_at("skip-join-mlfq:ratio=10", 1000), 2);
}

// Would catch: a request that joins at the level of its first chunk where prefill is chunked. The
// prompt of 80 tokens takes 8 ms whole (level 3) but 1 ms a chunk of 10 (level 0): an arrival of
// one token at the first boundary must overtake it.
TEST(SkipJoinMlfq, TheLevelIsThatOfTheWholePromptEvenWhereItIsChunked) {
  ServerSettings settings = ample();
  settings.limits.max_num_seqs = 1;
  settings.limits.chunk_tokens = 10;
  const Outcome outcome = simulate({{.prompt_tokens = 80, .output_tokens = 1},
                                    {.arrival = at_ms(1), .prompt_tokens = 10, .output_tokens = 1}},
                                   "skip-join-mlfq", cost(), settings);
  EXPECT_EQ(outcome.requests[1].ended, at_ms(2));
  EXPECT_EQ(outcome.requests[0].ended, at_ms(9));
}

// Would catch: a quantum at the level of joining that is not used up as elsewhere: 8 ms of prefill
// at level 3 (8 ms) use it up at once.
TEST(SkipJoinMlfq, ThePrefillCountsAgainstTheQuantumOfItsLevel) {
  Bench bench("skip-join-mlfq");
  bench.arrive(0, 80);
  bench.progress(0, 8ms);
  EXPECT_EQ(bench.level(0), 4);
  bench.arrive(1, 75);  // 7.5 ms at level 3
  bench.progress(1, 7500us);
  EXPECT_EQ(bench.level(1), 3);
}

// Would catch: a promotion a nanosecond early or late; who has never run waits from its arrival.
TEST(SkipJoinMlfq, PromotesWhoHasWaitedSinceItsArrival) {
  Bench bench("skip-join-mlfq:promote_after_ms=5");
  bench.arrive(0, 80);
  ASSERT_EQ(bench.level(0), 3);
  bench.context.advance(5ms - 1ns);
  bench.refresh();
  EXPECT_EQ(bench.level(0), 3);
  bench.context.advance(1ns);
  bench.refresh();
  EXPECT_EQ(bench.level(0), 0);
}

// Would catch: a wait that is not started anew by running, and a promotion that keeps the service.
TEST(SkipJoinMlfq, PromotesWhoHasWaitedSinceItLastRan) {
  Bench bench("mlfq:promote_after_ms=5");
  bench.arrive(0);
  bench.context.advance(1ms);
  bench.progress(0, 1ms);
  ASSERT_EQ(bench.level(0), 1);
  bench.context.advance(4ms);
  bench.progress(0, 1ms);  // runs again at 5 ms: the wait starts anew
  bench.refresh();
  ASSERT_EQ(bench.level(0), 1);
  bench.context.advance(4999us);
  bench.refresh();
  EXPECT_EQ(bench.level(0), 1);
  bench.context.advance(1us);
  bench.refresh();
  EXPECT_EQ(bench.level(0), 0);
  bench.progress(0, 999us);
  EXPECT_EQ(bench.level(0), 0) << "the service at level 0 starts from nothing";
  bench.progress(0, 1us);
  EXPECT_EQ(bench.level(0), 1);
}

// Would catch: a request that is promoted once and then never again.
TEST(SkipJoinMlfq, PromotesAgainAfterSinkingAgain) {
  Bench bench("mlfq:promote_after_ms=5");
  bench.arrive(0);
  bench.progress(0, 1ms);
  for (int round = 0; round < 3; ++round) {
    bench.context.advance(5ms);
    bench.refresh();
    ASSERT_EQ(bench.level(0), 0) << round;
    bench.progress(0, 1ms);
    ASSERT_EQ(bench.level(0), 1) << round;
  }
}

// Would catch: a promotion between two looks, or one that is missed at the look after the wait; a
// wait that ends at a look counts.
TEST(SkipJoinMlfq, PromotesWhenItLooks) {
  Bench bench("skip-join-mlfq:promote_after_ms=5,promote_check_ms=4");
  bench.arrive(0, 80);
  for (const auto& [time, level] : {std::pair{5ms, 3}, {7ms, 3}, {8ms, 0}}) {
    bench.context.advance(time - (bench.context.now() - kOrigin));
    bench.refresh();
    EXPECT_EQ(bench.level(0), level) << time.count() << " ms";
  }
  bench.arrive(1, 80);  // at 8 ms: it has waited at 13, and the next look is at 16
  bench.context.advance(8ms - 1ns);
  bench.refresh();
  EXPECT_EQ(bench.level(1), 3);
  bench.context.advance(1ns);
  bench.refresh();
  EXPECT_EQ(bench.level(1), 0);
}

// Would catch: promotion where it is off, however long one waits.
TEST(SkipJoinMlfq, NeverPromotesByDefault) {
  Bench bench("skip-join-mlfq");
  bench.arrive(0, 80);
  bench.context.advance(std::chrono::hours(1000));
  bench.refresh();
  EXPECT_EQ(bench.level(0), 3);
}

/// 1 and 0 wait at lower levels, 1 for longer; 2 has been at level 0 all the time.
Order after_promotion(const std::string& order) {
  Bench bench("skip-join-mlfq:promote_after_ms=5,order=" + order);
  bench.arrive(1, 80);
  bench.context.advance(1ms);
  bench.arrive(0, 20);
  bench.arrive(2, 1);
  bench.context.advance(5ms);
  bench.refresh();
  EXPECT_EQ(bench.level(0), 0);
  EXPECT_EQ(bench.level(1), 0);
  return bench.ranking.order();
}

// Would catch: promoted requests in an order that the documentation does not say: they join level 0
// by the order rule, the longest wait first.
TEST(SkipJoinMlfq, ThePromotedJoinLevelZeroByTheOrderRule) {
  EXPECT_EQ(after_promotion("fifo"), (Order{2, 1, 0}));
  EXPECT_EQ(after_promotion("lifo"), (Order{0, 1, 2}));
  EXPECT_EQ(after_promotion("arrival"), (Order{1, 0, 2}));
}

// Would catch: a promotion of the dead, which would break invariant I5 in the middle of a run.
TEST(SkipJoinMlfq, WhoHasLeftIsNotPromoted) {
  Bench bench("skip-join-mlfq:promote_after_ms=5");
  bench.arrive(0, 80);
  bench.arrive(1, 80);
  bench.end(0, Departure::cancelled);
  bench.context.advance(5ms);
  EXPECT_NO_THROW(bench.refresh());
  EXPECT_EQ(bench.level(1), 0);
}

// Would catch: a search for a level that never ends.
TEST(SkipJoinMlfq, RefusesARatioOfOneWithoutLevels) {
  EXPECT_THROW(make_policy("skip-join-mlfq:ratio=1"), InputError);
  EXPECT_NO_THROW(make_policy("skip-join-mlfq:ratio=1,levels=3"));
  EXPECT_THROW(make_policy("skip-join-mlfq:base_quantum_ms=0"), InputError);
}

}  // namespace
}  // namespace tokenyard::test
