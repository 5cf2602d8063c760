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
    return validated({runs}).iterations[0].met;
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
  EXPECT_THAT(iteration_errors_csv(found), HasSubstr("\nc,4,0,0,0,0,0,true\n"));
  EXPECT_THAT(pairs_csv(found), HasSubstr("\n\"a,b\",c,-0.5,-0.5,-0.5,-0.5,true,true\n"));
  EXPECT_THAT(iterations_csv(runs), HasSubstr("\nc,2,0,0,0,0,0,1,1\n"));
  EXPECT_THAT(validation_json(found), HasSubstr(R"("met":true)"));
}

// Would catch: an iteration charged with another's load, or timed from another's begin.
TEST(IterationWatch, ChargesEachIterationOfARun) {
  LinearCoefficients form;
  form.decode_sequence_s = 0.5;
  const LinearCostModel cost(form);
  std::vector<ChargedIteration> found;
  IterationWatch watch(cost, found);
  Iteration iteration;
  iteration.slots.resize(1);
  iteration.load.add_decode(9);
  watch.decided(kOrigin + std::chrono::seconds(1), iteration, {});
  Iteration copies;  // decided while the other runs: it has no end
  watch.decided(kOrigin + std::chrono::seconds(2), copies, {});
  watch.completed(kOrigin + std::chrono::seconds(4), iteration);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].load, iteration.load);
  EXPECT_DOUBLE_EQ(found[0].measured_s, 3);
  EXPECT_DOUBLE_EQ(found[0].charged_s, 0.5);
}

}  // namespace
}  // namespace tokenyard
