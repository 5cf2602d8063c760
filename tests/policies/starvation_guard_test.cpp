// The starvation guard around a policy, by calls made by hand; whole runs are in tests/scenarios.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <limits>

#include "policies/starvation_guard.hpp"
#include "sim/kernel/input_error.hpp"
#include "tests/support/fake_scheduling.hpp"
#include "tests/support/integer_cost.hpp"
#include "tests/support/simulation.hpp"

namespace tokenyard::test {
namespace {

using namespace std::chrono_literals;
using Order = std::vector<std::uint32_t>;

const IntegerCost& cost() {
  static const IntegerCost model(1ms);
  return model;
}

/// Ranks by the prompt, longest first, so that the later arrivals of these tests are the better;
/// holds whom `progress` finds with a prompt over 100, and lets everybody go at a refresh.
class LongestFirst final : public Policy {
 public:
  void on_arrive(const RequestView& request, const PolicyContext&, Ranking& ranking) override {
    ranking.set(request.id, {-request.prompt_tokens, 7});
  }
  void on_progress(const RequestView& request, Duration, const PolicyContext&,
                   Ranking& ranking) override {
    if (request.prompt_tokens <= 100) return;
    ranking.hold(request.id);
    held.push_back(request.id);
  }
  void refresh(const PolicyContext& context, Ranking& ranking) override {
    if (keeps) return;
    for (const RequestId id : held) on_arrive(context.request(id), context, ranking);
    held.clear();
  }
  int level(const RequestView&) const override { return 3; }
  Needs needs() const override { return {.length_predictor = true}; }
  Time wake_at(const PolicyContext&) const override { return kOrigin + 5ms; }

  bool keeps = false;
  std::vector<RequestId> held;
};

struct Bench : PolicyBench {
  explicit Bench(const std::string& guard)
      : PolicyBench(guard_against_starvation(std::make_unique<LongestFirst>(), guard), cost()) {}

  /// One iteration of 1 ms with these requests, and its boundary.
  void iterate(const Order& members) {
    context.count_iteration();
    context.advance(1ms);
    for (const std::uint32_t id : members) progress(id, 1ms);
    refresh();
  }
};

// Would catch: a guard that acts too early, too late or by the wrong request: 0 has waited 3 ms at
// the third boundary, and 1 and 2 are better placed by the policy.
TEST(StarvationGuard, SendsAheadWhoHasWaitedLongEnoughAndNotBefore) {
  Bench bench("after_ms=3");
  for (std::uint32_t id = 0; id < 3; ++id) bench.arrive(id, 10 + id);
  bench.iterate({2});
  bench.iterate({2});
  EXPECT_EQ(bench.ranking.order(), (Order{2, 1, 0}));
  bench.context.advance(1ms - 1ns);
  bench.refresh();
  EXPECT_EQ(bench.ranking.order(), (Order{2, 1, 0}));
  bench.context.advance(1ns);
  bench.refresh();
  EXPECT_EQ(bench.ranking.order(), (Order{0, 1, 2})) << "equal waits go to the smaller id";
}

// Would catch: a guarded request that keeps its place after its turn, or that is not guarded a
// second time.
TEST(StarvationGuard, OneTurnEndsThePrivilegeAndTheWaitBeginsAnew) {
  Bench bench("after_ms=3");
  bench.arrive(0, 10);
  bench.arrive(1, 20);
  for (int i = 0; i < 3; ++i) bench.iterate({1});
  EXPECT_EQ(bench.ranking.order(), (Order{0, 1}));
  bench.iterate({0});
  EXPECT_EQ(bench.ranking.order(), (Order{1, 0}));
  EXPECT_EQ(bench.ranking.key(0), (RankKey{-10, 7})) << "what the policy had said";
  for (int i = 0; i < 2; ++i) bench.iterate({1});
  EXPECT_EQ(bench.ranking.order(), (Order{1, 0}));
  bench.iterate({1});
  EXPECT_EQ(bench.ranking.order(), (Order{0, 1}));
}

// Would catch: a wait that is counted from the first sight of a request although it has run since.
TEST(StarvationGuard, AWaitBeginsWithTheLastRun) {
  Bench bench("after_ms=3");
  bench.arrive(0, 10);
  bench.iterate({0});
  bench.iterate({0});
  bench.arrive(1, 20);
  bench.context.advance(3ms - 1ns);
  bench.refresh();
  EXPECT_EQ(bench.ranking.order(), (Order{1, 0})) << "0 ran 1 ns less than 3 ms ago";
  bench.progress(1, 1ms);
  bench.context.advance(1ns);
  bench.refresh();
  EXPECT_EQ(bench.ranking.order(), (Order{0, 1}));
}

// Would catch: guarded requests in the policy's order instead of that of their waits.
TEST(StarvationGuard, AmongTheGuardedWhoHasWaitedLongestIsFirst) {
  Bench bench("after_ms=3");
  bench.arrive(4, 10);
  bench.context.advance(1ms);
  bench.arrive(2, 20);
  bench.context.advance(1ms);
  bench.arrive(3, 30);
  bench.context.advance(5ms);
  bench.arrive(1, 1000);
  bench.refresh();
  EXPECT_EQ(bench.ranking.order(), (Order{4, 2, 3, 1}));
}

// Would catch: an arrival that fell into a long iteration and must wait for one boundary more.
TEST(StarvationGuard, AnArrivalThatHasWaitedLongEnoughAlreadyGoesAheadAtOnce) {
  Bench bench("after_ms=3");
  bench.arrive(0, 1000);
  RequestView& late = bench.context.views[RequestId{1}];
  late.id = RequestId{1};
  late.slot = 1;
  late.arrived = late.last_ran = bench.context.now();
  late.prompt_tokens = 1;
  auto guard = guard_against_starvation(std::make_unique<LongestFirst>(), "after_ms=3");
  bench.context.advance(3ms);
  guard->on_arrive(late, bench.context, bench.ranking);
  EXPECT_EQ(bench.ranking.order().front(), 1u);
}

// Would catch: skips that count time, or are off by one. Two long iterations are two skips.
TEST(StarvationGuard, SkipsCountsIterationsAndNotTime) {
  Bench bench("skips=2");
  bench.arrive(0, 10);
  bench.arrive(1, 20);
  bench.context.advance(10s);
  bench.iterate({1});
  EXPECT_EQ(bench.ranking.order(), (Order{1, 0}));
  bench.iterate({1});
  EXPECT_EQ(bench.ranking.order(), (Order{0, 1}));
  bench.iterate({0});
  EXPECT_EQ(bench.ranking.order(), (Order{1, 0}));
  bench.iterate({1});
  bench.iterate({1});
  EXPECT_EQ(bench.ranking.order(), (Order{0, 1}));
}

// Would catch: a guard that overrules a hold, and one that forgets those who were held.
TEST(StarvationGuard, AHeldRequestIsLeftToThePolicyUntilItIsRankedAgain) {
  auto inner = std::make_unique<LongestFirst>();
  LongestFirst& policy = *inner;
  policy.keeps = true;
  PolicyBench bench(guard_against_starvation(std::move(inner), "after_ms=3"), cost());
  bench.arrive(0, 101);
  bench.arrive(1, 200);
  bench.context.advance(1ms);
  bench.progress(0, 1ms);
  EXPECT_FALSE(bench.ranking.places.at(RequestId{0}).has_value());
  bench.context.advance(9ms);
  bench.refresh();
  EXPECT_EQ(bench.ranking.order(), (Order{1})) << "0 stays held";
  policy.keeps = false;
  bench.refresh();
  EXPECT_EQ(bench.ranking.order(), (Order{1, 0})) << "both guarded; 1 has waited longer";
  EXPECT_EQ(bench.ranking.key(0).primary, bench.ranking.key(1).primary);
}

// Would catch: a policy that takes a guarded request's place away by ranking it anew, and one whose
// last word is lost when the turn is over.
TEST(StarvationGuard, WhatThePolicySaysOfAGuardedRequestCountsAfterItsTurn) {
  class Ten final : public LengthPredictor {
    double output_tokens_mean(const RequestView&) const override { return 10; }
    bool clairvoyant() const override { return false; }
  };
  const Ten ten;
  PolicyBench srpt(make_policy("srpt guarded by after_ms=3"), cost(), &ten);
  srpt.arrive(0);
  srpt.arrive(1);
  srpt.context.advance(3ms);
  srpt.progress(1, 3ms);
  srpt.refresh();
  srpt.evict(0);  // SRPT ranks it again
  EXPECT_EQ(srpt.ranking.order(), (Order{0, 1}));
  srpt.context.advance(1ms);
  srpt.progress(0, 1ms);
  EXPECT_EQ(srpt.ranking.key(0), (RankKey{9, 0}));
}

// Would catch: a policy at the very end of the keys that stands beside the guarded.
TEST(StarvationGuard, NoKeyOfAPolicyIsAsGoodAsAGuardedOne) {
  class Extreme final : public Policy {
   public:
    void on_arrive(const RequestView& request, const PolicyContext&, Ranking& ranking) override {
      constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
      ranking.set(request.id, request.prompt_tokens > 1 ? RankKey{kLeast, kLeast} : RankKey{5, 5});
    }
  };
  PolicyBench bench(guard_against_starvation(std::make_unique<Extreme>(), "after_ms=3"), cost());
  bench.arrive(1, 1);
  bench.context.advance(3ms);
  bench.arrive(0, 2);
  bench.refresh();
  EXPECT_EQ(bench.ranking.order(), (Order{1, 0}));
}

// Would catch: an aged order that is not that of primary - R x waited at the instant of the
// boundary, for those that ran (waited: nothing) and those that did not. Histories are random, on
// whole seconds and with whole R, so that nothing is rounded.
TEST(StarvationGuard, AgingOrdersByThePrimaryKeyLessRPerSecondWaited) {
  EXPECT_TRUE(rc::check([] {
    using rc::gen::inRange;
    const auto rate = *inRange<std::int64_t>(1, 6);
    Bench bench("aging=" + std::to_string(rate));
    for (std::uint32_t id = 0; id < 6; ++id) {
      bench.context.advance(1s * *inRange(0, 3));
      bench.arrive(id, *inRange<std::int64_t>(1, 40));
      for (std::uint32_t other = 0; other <= id; ++other) {
        if (*inRange(0, 3) == 0) bench.progress(other, 1s);
      }
    }
    bench.context.advance(1s * *inRange(0, 5));
    bench.refresh();
    std::vector<std::pair<std::int64_t, std::uint32_t>> expected;
    for (const auto& [id, view] : bench.context.views) {
      const std::int64_t waited_s = (bench.context.now() - view.last_ran) / 1s;
      expected.emplace_back(-view.prompt_tokens - rate * waited_s, static_cast<std::uint32_t>(id));
    }
    std::sort(expected.begin(), expected.end());
    const Order order = bench.ranking.order();
    RC_ASSERT(order.size() == expected.size());
    for (std::size_t i = 0; i < order.size(); ++i) RC_ASSERT(order[i] == expected[i].second);
  }));
}

// Would catch: a walk over the waiting. A thousand wait for a thousand boundaries: neither aging
// nor a guard that is not yet due may look at one of them, or say a word about it.
TEST(StarvationGuard, WhoOnlyWaitsCostsNothing) {
  for (const char* guard : {"after_ms=5000", "skips=5000", "aging=2"}) {
    Bench bench(guard);
    for (std::uint32_t id = 0; id < 1000; ++id) bench.arrive(id, 10);
    const std::size_t calls = bench.ranking.calls.size();
    const std::size_t looks = bench.context.asked;
    for (int i = 0; i < 1000; ++i) bench.iterate({});
    EXPECT_EQ(bench.ranking.calls.size(), calls) << guard;
    EXPECT_EQ(bench.context.asked, looks) << guard;
  }
}

// Would catch: credit in other units than whole ones of the key, rounded down: half a level a
// second leaves the level alone for two seconds.
TEST(StarvationGuard, CreditCountsInWholeUnitsOfTheKey) {
  Bench bench("aging=0.5");
  bench.context.advance(1999ms);
  bench.arrive(0, 10);
  bench.context.advance(1ms);
  bench.arrive(1, 10);
  EXPECT_EQ(bench.ranking.key(0), (RankKey{-10, 7}));
  EXPECT_EQ(bench.ranking.key(1), (RankKey{-9, 7}));
}

// Would catch: an overflow that sends the worst to the front.
TEST(StarvationGuard, AgingStaysInRange) {
  Bench bench("aging=1e18");
  bench.context.at(kOrigin + std::chrono::hours(24 * 365 * 100));
  bench.arrive(0, 10);
  EXPECT_GT(bench.ranking.key(0).primary, 0);
}

// Would catch: a guard that hides what the server asks of a policy.
TEST(StarvationGuard, PassesOnWhatThePolicyNeedsItsLevelsAndItsAlarm) {
  const auto guard = guard_against_starvation(std::make_unique<LongestFirst>(), "skips=1");
  Bench bench("skips=1");
  bench.arrive(0, 10);
  EXPECT_EQ(bench.level(0), 3);
  EXPECT_TRUE(guard->needs().length_predictor);
  EXPECT_EQ(guard->wake_at(bench.context), kOrigin + 5ms);
}

std::string complaint(const std::string& guard) {
  try {
    guard_against_starvation(std::make_unique<LongestFirst>(), guard);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

// Would catch: two rules at once, none, typing errors and values out of range.
TEST(StarvationGuard, TakesExactlyOneRuleAndRefusesAllElse) {
  EXPECT_EQ(complaint("after_ms=300"), "");
  EXPECT_EQ(complaint("skips=1"), "");
  EXPECT_EQ(complaint("aging=0.25"), "");
  EXPECT_EQ(complaint(""), "guard: after_ms, skips, aging: give exactly one of them");
  EXPECT_EQ(complaint("after_ms=1,skips=2"),
            "guard: after_ms, skips, aging: give exactly one of them");
  for (const char* bad : {"after_ms", "after_ms=", "after_ms=0", "after_ms=-1", "after_ms=x",
                          "after_ms=1e10", "skips=0", "skips=1.5", "aging=0", "aging=-1",
                          "aging=1e19", "after=3", "after_ms=1,after_ms=2", "after_ms=1,"}) {
    EXPECT_TRUE(complaint(bad).starts_with("guard: ")) << bad << " -> " << complaint(bad);
  }
}

}  // namespace
}  // namespace tokenyard::test
