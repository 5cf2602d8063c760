// The loop: policies that hold back, runs that are stuck, workloads that go on after an end.

#include "sim/server/serve.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/model_executor.hpp"
#include "sim/kernel/invariant.hpp"
#include "tests/support/by_hand.hpp"

namespace tokenyard::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

/// Holds everybody until a time of day, or for ever.
class HoldUntil final : public Policy {
 public:
  explicit HoldUntil(Time until) : until_(until) {}

  void on_arrive(const RequestView& request, const PolicyContext& context,
                 Ranking& ranking) override {
    if (context.now() >= until_) return ranking.set(request.id, {});
    ranking.hold(request.id);
    held_.push_back(request.id);
  }
  void refresh(const PolicyContext& context, Ranking& ranking) override {
    if (context.now() < until_) return;
    for (const RequestId id : held_) ranking.set(id, {});
    held_.clear();
  }
  Time wake_at(const PolicyContext&) const override { return held_.empty() ? kNever : until_; }

 private:
  Time until_;
  std::vector<RequestId> held_;
};

std::string words_of_a_stuck_run(const std::vector<Job>& jobs) {
  HoldUntil for_ever(kNever);
  try {
    simulate(jobs, for_ever, IntegerCost(10ms));
  } catch (const InvariantBroken& broken) {
    return broken.what();
  }
  return "not stuck";
}

// Would catch: a run that hangs, or ends silently with requests unserved, when a policy holds
// everybody for ever; and words that do not say who waits.
TEST(Serve, AStuckRunExplainsItself) {
  const std::string words =
      words_of_a_stuck_run({{.prompt_tokens = 7}, {.arrival = at_ms(3), .prompt_tokens = 9}});
  EXPECT_THAT(words, HasSubstr("I10"));
  EXPECT_THAT(words, HasSubstr("2 live requests"));
  EXPECT_THAT(words, HasSubstr("request 0 (held by the policy) holds 0 blocks and waits to compute "
                               "7 tokens"));
  EXPECT_THAT(words, HasSubstr("request 1 (held by the policy)"));
}

// Would catch: an explanation of a million lines.
TEST(Serve, TheExplanationIsShortHoweverManyWait) {
  const std::string words = words_of_a_stuck_run(std::vector<Job>(500));
  EXPECT_THAT(words, HasSubstr("and 492 more"));
  EXPECT_LT(words.size(), 2000u);
}

// Would catch: a loop that does not wake for a policy that holds back, wakes late, or takes its
// holding for a stuck run.
TEST(Serve, APolicyThatHoldsBackIsWokenWhenItAsked) {
  HoldUntil noon(at_ms(50));
  const Outcome run =
      simulate({{.arrival = at_ms(3), .output_tokens = 2}}, noon, IntegerCost(10ms));
  EXPECT_EQ(run.requests[0].first_scheduled, at_ms(50));
  EXPECT_EQ(run.requests[0].ended, at_ms(70));
}

// Would catch: a wake-up that is forgotten because something else happened before.
TEST(Serve, AnArrivalBeforeTheWakeUpDoesNotCancelIt) {
  HoldUntil noon(at_ms(50));
  const Outcome run =
      simulate({{.arrival = at_ms(3)}, {.arrival = at_ms(20)}, {.arrival = at_ms(60)}}, noon,
               IntegerCost(10ms));
  EXPECT_EQ(run.requests[0].first_scheduled, at_ms(50));
  EXPECT_EQ(run.requests[1].first_scheduled, at_ms(50));
  EXPECT_EQ(run.requests[2].first_scheduled, at_ms(60)) << "after that time nobody is held";
}

/// One client that sends its next request when the last has ended.
class ClosedLoop final : public Workload, public OutputOracle {
 public:
  explicit ClosedLoop(std::uint32_t requests) : requests_(requests) {}

  void post_until(Time now, Events& events) override {
    if (next_ == 0) post(now, events);
  }
  void on_end(RequestId, Time now, Events& events) override {
    if (next_ < requests_) post(now + 5ms, events);
  }
  bool expects_more() const override { return next_ < requests_; }
  std::int64_t output_tokens(RequestId) const override { return 2; }

 private:
  void post(Time at, Events& events) {
    Request request;
    request.id = RequestId{next_};
    request.arrival = at;
    request.prompt_tokens = 1;
    events.post(at, next_++, Arrival{request});
  }

  std::uint32_t requests_;
  std::uint32_t next_ = 0;
};

// Would catch: a loop that ends when nobody is live although the workload goes on, or does not tell
// it of ends.
TEST(Serve, AClosedLoopGoesOnAfterEachEnd) {
  ClosedLoop workload(3);
  const auto policy = make_policy("fcfs");
  const IntegerCost cost(10ms);
  ModelExecutor executor(cost, workload);
  FactKeeper facts;
  SimClock clock;
  Scheduler scheduler(ample(), {*policy, cost, nullptr, &workload, facts}, executor.depth());
  const std::int64_t passes = serve(scheduler, clock, workload, executor, facts);
  ASSERT_EQ(facts.ends.size(), 3u);
  EXPECT_EQ(facts.ends[0].ended, at_ms(20));
  EXPECT_EQ(facts.ends[1].ended, at_ms(45));
  EXPECT_EQ(facts.ends[2].ended, at_ms(70));
  EXPECT_GE(passes, 6);
}

}  // namespace
}  // namespace tokenyard::test
