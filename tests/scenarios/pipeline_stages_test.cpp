// Pipelines of simulated stages, by hand.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "experiments/record/stage_bubbles.hpp"
#include "models/pipeline_executor.hpp"
#include "tests/scenarios/scenario.hpp"
#include "tests/support/random_jobs.hpp"

namespace tokenyard::test {
namespace {

using testing::ElementsAre;

/// Stages with these costs, each with so long a way to the next.
PipelineCostModel stages_of(const std::vector<IntegerCost>& costs, double way_s = 0) {
  std::vector<PipelineCostModel::Stage> stages;
  for (const IntegerCost& cost : costs) {
    stages.push_back({std::make_unique<IntegerCost>(cost), {way_s, 0}});
  }
  return PipelineCostModel(std::move(stages));
}

/// Finds the bubbles, as the recorder does.
class BubbleWatch final : public Observer {
 public:
  void decided(Time now, const Iteration& iteration, const IterationFacts&) override {
    if (!iteration.empty()) bubbles.begun(now);
  }
  void staged(const Iteration&, std::size_t stage, Time begun, Time ended) override {
    busy += ended - begun;
    bubbles.busy(stage, begun, ended);
  }
  void completed(Time now, const Iteration&) override { bubbles.ended(now); }

  StageBubbles bubbles;
  Duration busy{0};
};

Outcome run(const std::vector<Job>& jobs, const PipelineCostModel& cost,
            const ServerSettings& settings, const std::string& policy = "fcfs",
            BubbleWatch* watch = nullptr) {
  BubbleWatch own;
  BubbleWatch& observer = watch != nullptr ? *watch : own;
  return simulate(jobs, policy, cost, settings, true, &observer,
                  [&](const CostModel&, const OutputOracle& oracle) {
                    return std::make_unique<PipelineExecutor>(cost, oracle, observer);
                  });
}

// Would catch: stages that do not overlap, an iteration that skips a stage or the way to it, or a
// request that is taken up again before its last stage is done.
TEST(PipelineStages, TwoRequestsFillTwoStages) {
  const auto cost = stages_of({IntegerCost(10ms), IntegerCost(10ms)}, 0.001);
  const std::vector<Job> jobs = {{at_ms(0), 1, 2}, {at_ms(0), 1, 2}};
  BubbleWatch watch;
  const Outcome outcome = run(jobs, cost, one_at_a_time(), "fcfs", &watch);
  // 0: stage 1 until 10, stage 2 from 11 to 21, and again 21-31, 32-42.
  // 1: stage 1 from 10 to 20, stage 2 from 21 to 31, and again 31-41, 42-52.
  EXPECT_THAT(plan(outcome), ElementsAre("0: 0+1", "10: 1+1", "21: 0+1", "31: 1+1"));
  EXPECT_EQ(ended_ms(outcome, 0), 42);
  EXPECT_EQ(ended_ms(outcome, 1), 52);
  EXPECT_EQ(phases(outcome, 1), "queue 10 prefill 21 decode 21 preempted 0 swap 0");
  // Four iterations of 20 ms in two stages' 52 ms.
  ASSERT_TRUE(watch.bubbles.share().has_value());
  EXPECT_DOUBLE_EQ(*watch.bubbles.share(), 24.0 / 104);
}

// Would catch: a pipeline that works for two stages only. p requests of m tokens keep p equal
// stages busy: the i-th ends after m p + i stage times, and the bubbles are those of filling and
// draining.
TEST(PipelineStages, AsManyRequestsAsStagesKeepAllBusyAtAnyDepth) {
  for (const int stages : {1, 2, 3, 4, 5, 8}) {
    const auto cost =
        stages_of(std::vector<IntegerCost>(static_cast<std::size_t>(stages), IntegerCost(10ms)));
    constexpr int kTokens = 7;
    const std::vector<Job> jobs(static_cast<std::size_t>(stages), {at_ms(0), 1, kTokens});
    BubbleWatch watch;
    const Outcome outcome = run(jobs, cost, one_at_a_time(), "fcfs", &watch);
    for (int i = 0; i < stages; ++i) {
      EXPECT_EQ(ended_ms(outcome, static_cast<std::size_t>(i)), 10 * (kTokens * stages + i))
          << stages;
    }
    if (stages == 1) {
      EXPECT_FALSE(watch.bubbles.share().has_value());
      continue;
    }
    const double bubbles = stages * (stages - 1), slots = stages * (kTokens * stages + stages - 1);
    EXPECT_DOUBLE_EQ(*watch.bubbles.share(), bubbles / slots);
  }
}

// Would catch: a slow stage that does not hold up the fast ones, or an iteration that overtakes
// another in it.
TEST(PipelineStages, TheSlowestStageSetsThePace) {
  const auto cost = stages_of({IntegerCost(10ms), IntegerCost(30ms), IntegerCost(10ms)});
  const std::vector<Job> jobs(3, {at_ms(0), 1, 2});
  const Outcome outcome = run(jobs, cost, one_at_a_time());
  // The second stage is busy from 10 on without a break: six times 30 ms.
  EXPECT_THAT(plan(outcome),
              ElementsAre("0: 0+1", "10: 1+1", "20: 2+1", "50: 0+1", "80: 1+1", "110: 2+1"));
  EXPECT_EQ(ended_ms(outcome, 2), 10 + 6 * 30 + 10);
}

// Would catch: a request alone that is charged anything but the sum of the stages, which policies
// and slowdowns are told.
TEST(PipelineStages, ARequestAloneTakesTheSumOfTheStages) {
  const auto cost = stages_of({IntegerCost(10ms), IntegerCost(20ms)}, 0.002);
  const Outcome outcome = run({{at_ms(0), 5, 3}}, cost, ample());
  EXPECT_EQ(cost.iteration(IterationLoad::one_decode(1)), 32ms);
  EXPECT_EQ(ended_ms(outcome, 0), 3 * 32);
}

// Would catch: copies that one stage makes for all, that wait for one another across stages, or
// that end before the last stage's; a later stage that acts before it can know.
TEST(PipelineStages, EachStageCopiesItsOwnShareAndTheLastDecides) {
  const IntegerCost fast({.iteration = 10ms, .copy_block = 1ms});
  const IntegerCost slow({.iteration = 10ms, .copy_block = 4ms});
  const auto cost = stages_of({fast, slow, fast}, 0.003);
  EXPECT_EQ(cost.copy(2), 3ms + 8ms);
  ServerSettings settings = pool_of(5);
  settings.kv.host_blocks = 10;
  settings.kv.evict = Evict::swap;
  settings.limits.max_num_seqs = 1;
  // 1 takes over at its better priority; 0's two blocks go out meanwhile and come back.
  const std::vector<Job> jobs = {{at_ms(0), 2, 3}, {at_ms(1), 4, 1}};
  const Outcome outcome = run(jobs, cost, settings, "srpt");
  EXPECT_EQ(outcome.requests[0].swaps_out, 1);
  EXPECT_EQ(outcome.requests[0].swaps_in, 1);
  // Out with the decision at 36 (2 blocks: 11 ms), 1 runs 47-83, back until 94.
  EXPECT_THAT(plan(outcome), ElementsAre("0: 0+2", "47: 1+4", "94: 0+1", "130: 0+1"));
}

// Would catch: whatever goes wrong where evictions, copies of several stages and requests in flight
// meet: lost blocks (audited at each iteration), lost requests, time that vanishes; bubbles that
// with the stages' work are not all of their time.
RC_GTEST_PROP(PipelineStages, NothingIsLostAtAnyDepthUnderAnyPolicy, ()) {
  const auto jobs = random_jobs({.cancellations = true});
  const ServerSettings settings = random_settings();
  std::vector<IntegerCost> costs;
  for (int left = *rc::gen::inRange(1, 6); left > 0; --left) {
    costs.emplace_back(
        IntegerCost::Terms{.iteration = Duration(1000 * *rc::gen::inRange(1, 2000)),
                           .prefill_token = Duration(100 * *rc::gen::inRange(0, 50)),
                           .copy_block = Duration(1000 * *rc::gen::inRange(0, 3000))});
  }
  const auto cost = stages_of(costs, *rc::gen::inRange(0, 3) * 1e-4);
  const std::string policy =
      *rc::gen::element<std::string>("fcfs", "srpt", "mlfq", "skip-join-mlfq:promote_after_ms=20");
  BubbleWatch watch;
  const Outcome outcome = run(jobs, cost, settings, policy, &watch);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const RequestFacts& facts = outcome.requests[i];
    if (facts.end == End::finished) RC_ASSERT(facts.output_tokens == jobs[i].longest());
    const Duration phases =
        std::accumulate(std::begin(facts.phases), std::end(facts.phases), Duration{0});
    RC_ASSERT(phases == facts.ended - facts.request.arrival);
  }
  if (const auto share = watch.bubbles.share()) RC_ASSERT(*share >= 0 && *share < 1);
}

}  // namespace
}  // namespace tokenyard::test
