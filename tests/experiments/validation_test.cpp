#include "experiments/validate/validation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "experiments/validate/iteration_watch.hpp"
#include "models/linear_cost_model.hpp"

namespace tokenyard {
namespace {

using ::testing::HasSubstr;

Summary summary(double mean_jct_s, double p99_jct_s) {
  return {{}, {{"mean_jct_s", mean_jct_s}, {"p99_jct_s", p99_jct_s}}};
}

/// Iterations that take a second each, charged so much.
std::vector<ChargedIteration> charged(const std::vector<double>& seconds) {
  std::vector<ChargedIteration> found;
  for (const double each : seconds) found.push_back({{}, 1, each});
  return found;
}

LiveAndSimulated made_up(const std::string& policy, const std::vector<double>& live,
                         double simulated) {
  LiveAndSimulated runs;
  runs.policy = policy;
  for (const double mean : live) {
    runs.live.push_back(summary(mean, 3 * mean));
    runs.iterations.push_back(charged({1, 1}));
  }
  runs.simulated = summary(simulated, 3 * simulated);
  return runs;
}

Validation validated(const std::vector<LiveAndSimulated>& runs) {
  return validate(runs, ValidationGoals::at_load(0.8));
}

// Would catch: an error against the wrong one of the two, an interval of something else, the bound
// of another metric.
TEST(Validation, SetsTheSimulationBesideTheLiveMean) {
  const Validation found = validated({made_up("fcfs", {10, 10.1, 9.9}, 10.2)});
  ASSERT_EQ(found.metrics.size(), 2U);
  const MetricRow& mean = found.metrics[0];
  EXPECT_EQ(mean.metric, "mean_jct_s");
  EXPECT_NEAR(mean.live, 10, 1e-12);
  EXPECT_NEAR(mean.error, 0.02, 1e-12);
  EXPECT_NEAR(*mean.live_half_width, 4.303 * 0.1 / std::sqrt(3.0), 1e-3);
  EXPECT_DOUBLE_EQ(*mean.bound, 0.03);
  EXPECT_DOUBLE_EQ(*found.metrics[1].bound, 0.05);
  EXPECT_TRUE(found.met());
}

// Would catch: a goal that noise cannot widen, or that widens without noise; goals of another load.
TEST(Validation, AllowsAsMuchAsLiveRunsDifferAmongThemselves) {
  EXPECT_FALSE(validated({made_up("fcfs", {10, 10, 10}, 10.4)}).metrics[0].met());
  const Validation noisy = validated({made_up("fcfs", {9, 10, 11}, 10.4)});
  EXPECT_TRUE(noisy.metrics[0].met());
  EXPECT_NEAR(*noisy.metrics[0].bound, 4.303 / std::sqrt(3.0) / 10, 1e-3);
  EXPECT_FALSE(validated({made_up("fcfs", {10}, 10.4)}).met());
  const std::vector<LiveAndSimulated> one = {made_up("fcfs", {10, 10, 10}, 10.4)};
  EXPECT_TRUE(validate(one, ValidationGoals::at_load(0.95)).metrics[0].met());
}

// Would catch: iterations whose errors cancel out, or single ones that are far off, let through.
TEST(Validation, JudgesIterationsInTotalAndInTheTail) {
  const auto met = [](const std::vector<double>& seconds) {
    LiveAndSimulated runs = made_up("fcfs", {10, 10}, 10);
    runs.iterations = {charged(seconds)};
    const IterationRow row = validated({runs}).iterations[0];
    EXPECT_EQ(row.met(), row.goals_met);  // live does not differ from live
    return row.met();
  };
  EXPECT_TRUE(met({1.04, 0.96, 1.0}));
  EXPECT_FALSE(met({1.02, 1.02}));
  EXPECT_FALSE(met({1.2, 0.8}));
  const IterationErrors errors = errors_of(charged({1.5, 1, 0.9, 1}));
  EXPECT_EQ(errors.iterations, 4);
  EXPECT_NEAR(errors.total, 0.1, 1e-12);
  EXPECT_NEAR(errors.mean_absolute, 0.15, 1e-12);
  EXPECT_NEAR(errors.p95_absolute, 0.5, 1e-12);
  EXPECT_NEAR(errors.p50_absolute, 0, 1e-12);
}

// Would catch: a ranking judged where live runs do not tell, or not where they do; pairs the wrong
// way round.
TEST(Validation, JudgesTheRankingWhereLiveRunsTellIt) {
  const Validation found =
      validated({made_up("fcfs", {10, 10.1, 9.9}, 10), made_up("srpt", {5, 5.2, 4.9}, 5.1),
                 made_up("mlfq", {10, 11, 9}, 10.1)});
  ASSERT_EQ(found.pairs.size(), 3U);
  EXPECT_EQ(found.pairs[0].candidate, "srpt");
  EXPECT_TRUE(found.pairs[0].judged());
  EXPECT_TRUE(found.pairs[0].agrees());
  EXPECT_NEAR(found.pairs[0].simulated, -0.49, 1e-12);
  EXPECT_FALSE(found.pairs[1].judged());
  EXPECT_TRUE(found.met());
  const Validation other =
      validated({made_up("fcfs", {10, 10.1, 9.9}, 10), made_up("srpt", {10.2, 10.3, 10.1}, 9.95)});
  EXPECT_TRUE(other.pairs[0].judged());
  EXPECT_FALSE(other.pairs[0].agrees());
  EXPECT_FALSE(other.met());
  EXPECT_THAT(validation_text(other), HasSubstr("OTHER RANKING"));
}

// Would catch: files whose rows or columns do not belong together.
TEST(Validation, WritesWhatItFound) {
  const std::vector<LiveAndSimulated> runs = {made_up("a,b", {10, 10}, 10),
                                              made_up("c", {5, 5}, 5)};
  const Validation found = validated(runs);
  EXPECT_THAT(metrics_csv(found), HasSubstr("\n\"a,b\",mean_jct_s,10,0,10,0,0.03,true\n"));
  EXPECT_THAT(iteration_errors_csv(found),
              HasSubstr("\nc,4,0,0,0,0,0,true,4,0,0,0,0,0,0.01,0.05,true\n"));
  EXPECT_THAT(pairs_csv(found), HasSubstr("\n\"a,b\",c,-0.5,-0.5,-0.5,-0.5,true,true\n"));
  EXPECT_THAT(iterations_csv(runs), HasSubstr("\nc,2,0,0,0,0,0,1,1\n"));
  EXPECT_THAT(validation_json(found), HasSubstr(R"("met":true)"));
}

/// Runs of iterations that take so long each; loads are numbered: decodes that attend to so many
/// steps of context.
using Timed = std::vector<std::pair<int, double>>;
std::vector<std::vector<ChargedIteration>> timed(const std::vector<Timed>& runs, double charged_s) {
  std::vector<std::vector<ChargedIteration>> found;
  for (const Timed& run : runs) {
    found.emplace_back();
    for (const auto& [steps, seconds] : run) {
      const IterationLoad load = IterationLoad::one_decode(steps * kEqualContextTokens);
      found.back().push_back({load, seconds, charged_s});
    }
  }
  return found;
}

// Would catch: iterations of unequal load set beside each other, or those of two runs not; one
// without an equal that counts as foretold; a deviation that a small class makes small.
TEST(LiveSpread, IsThatOfIterationsOfEqualLoad) {
  const LiveSpread found = spread_of(timed({{{1, 1.0}, {2, 7.0}}, {{1, 1.25}, {3, 9.0}}}, 1));
  EXPECT_EQ(found.equals.iterations, 2);
  EXPECT_NEAR(found.equals.p50_absolute, 0.125 * std::sqrt(2) / 1.25, 1e-12);
  EXPECT_NEAR(found.equals.p95_absolute, 0.125 * std::sqrt(2), 1e-12);
  EXPECT_EQ(spread_of(timed({{{1, 1.0}, {2, 2.0}}}, 1)).equals.iterations, 0);
  auto near = timed({{{1, 1.0}}, {{1, 2.0}}}, 1);
  near[0][0].load.decode_context_tokens += kEqualContextTokens - 1;
  EXPECT_EQ(spread_of(near).equals.iterations, 2);
  near[0][0].load.add_prefill(5, 5);
  EXPECT_EQ(spread_of(near).equals.iterations, 0);
  near[1][0].load.add_prefill(5, 9);
  EXPECT_EQ(spread_of(near).equals.iterations, 0);
}

// Would catch: runs that differ in total taken for equal, or for unequal where only their loads
// are; an interval of one run.
TEST(LiveSpread, TellsHowFarRunsDifferInTotal) {
  const LiveSpread found = spread_of(timed({{{1, 1.0}}, {{1, 1.25}, {2, 1.25}}}, 1));
  EXPECT_NEAR(*found.total_half_width, 12.706 * (0.2 / std::sqrt(2.0)) / std::sqrt(2.0), 1e-4);
  EXPECT_FALSE(spread_of(timed({{{1, 1.0}, {1, 3.0}}}, 1)).total_half_width);
}

// Would catch: a model blamed for what no model can know, or excused where live runs are alike or
// too few iterations have an equal; the plain goals' outcome lost or changed by it.
TEST(Validation, AsksOfIterationsWhatLiveOnesOfEqualLoadTell) {
  const auto row = [](const std::vector<Timed>& runs) {
    LiveAndSimulated made = made_up("fcfs", {10, 10}, 10);
    made.iterations = timed(runs, 1);
    return validated({made}).iterations[0];
  };
  const IterationRow noisy = row({{{1, 0.75}, {1, 1.25}}, {{1, 0.75}, {1, 1.25}}});
  EXPECT_TRUE(noisy.met());
  EXPECT_FALSE(noisy.goals_met);
  EXPECT_NEAR(noisy.p95_bound, std::sqrt(4.0 / 3) / 3, 1e-12);
  EXPECT_EQ(noisy.total_bound, 0.01);
  EXPECT_FALSE(row({{{1, 0.75}, {2, 1.25}, {3, 0.75}}, {{1, 0.75}, {4, 1.25}}}).met());
  const IterationRow drifting = row({{{1, 0.9}}, {{1, 1.0}}, {{1, 1.1}}});
  EXPECT_NEAR(drifting.total_bound, *drifting.live.total_half_width, 1e-12);
  EXPECT_TRUE(drifting.met());
  EXPECT_FALSE(row({{{1, 0.9}}, {{1, 0.9}}, {{1, 0.9}}}).met());
}

// Would catch: an iteration charged with another's load, or timed from another's begin.
TEST(IterationWatch, KeepsWhatIsChargedForEachIterationOfARun) {
  LinearCoefficients form;
  form.decode_sequence_s = 0.5;
  const LinearCostModel cost(form);
  std::vector<MeasuredIteration> measured;
  IterationWatch watch(measured);
  Iteration iteration;
  iteration.slots.resize(1);
  iteration.load.add_decode(9);
  watch.decided(kOrigin + std::chrono::seconds(1), iteration, {});
  Iteration copies;  // decided while the other runs: it has no end
  watch.decided(kOrigin + std::chrono::seconds(2), copies, {});
  watch.completed(kOrigin + std::chrono::seconds(4), iteration);
  const std::vector<ChargedIteration> found = charge(measured, cost);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].load, iteration.load);
  EXPECT_DOUBLE_EQ(found[0].measured_s, 3);
  EXPECT_DOUBLE_EQ(found[0].charged_s, 0.5);
}

}  // namespace
}  // namespace tokenyard
