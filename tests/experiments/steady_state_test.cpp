// Steady-state statistics, and the options of `run` that use them.

#include <gtest/gtest.h>

#include <boost/random/normal_distribution.hpp>
#include <cmath>
#include <numeric>

#include "experiments/compare/request_pairs.hpp"
#include "experiments/run.hpp"
#include "experiments/statistics/batch_means.hpp"
#include "experiments/statistics/sequential.hpp"
#include "experiments/statistics/stability.hpp"
#include "experiments/statistics/warmup.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/kernel/rng.hpp"
#include "tests/support/files.hpp"

namespace tokenyard {
namespace {

/// An autoregressive series that begins at `start` above its mean of 10.
std::vector<double> series(std::size_t count, double start, double memory, std::uint64_t seed) {
  Rng rng = named_stream(seed, "series");
  boost::random::normal_distribution<double> normal;
  std::vector<double> values;
  double level = start;
  for (std::size_t i = 0; i < count; ++i) {
    level = memory * level + normal(rng);
    values.push_back(10 + level);
  }
  return values;
}

// Would catch: a truncation that keeps the transient, throws away most of the data, or is no
// minimum of the marginal standard error.
TEST(Mser5, LeavesOutTheTransient) {
  const auto found = mser5(series(5'000, 500, 0.98, 1));
  ASSERT_TRUE(found);
  EXPECT_EQ(*found % 5, 0U);
  EXPECT_GE(*found, 100U);  // 500 x 0.98^100 = 66 is still seen
  EXPECT_LE(*found, 1'000U);
  EXPECT_LE(mser5(series(5'000, 0, 0, 1)).value(), 500U);
  EXPECT_EQ(mser5(std::vector<double>(100, 3.0)), 0U);
}

// Would catch: a truncation point where there is none.
TEST(Mser5, FindsNoneWhereNothingSettles) {
  std::vector<double> growing(1'000);
  std::iota(growing.begin(), growing.end(), 0.0);
  EXPECT_FALSE(mser5(growing));
  EXPECT_FALSE(mser5(std::vector<double>(49, 1.0)));
}

// Would catch: correlated batches passed for independent ones, a wrong number of degrees of
// freedom, observations that fall between batches.
TEST(BatchMeans, SeesCorrelation) {
  const BatchMeans independent = batch_means(series(4'010, 0, 0, 3));
  EXPECT_TRUE(independent.independent);
  EXPECT_NEAR(*independent.interval.mean, 10, 0.1);
  EXPECT_NEAR(*independent.interval.half_width, 2.09 / std::sqrt(4'000.0), 0.015);
  const BatchMeans correlated = batch_means(series(2'000, 0, 0.999, 3));
  EXPECT_FALSE(correlated.independent);
  EXPECT_FALSE(batch_means(std::vector<double>(399, 1.0)).interval.mean);
}

// Would catch: a stop before ten replications, or at the half-width itself, which holds the
// relative error too seldom.
TEST(SequentialStopping, FollowsLaw) {
  const std::vector<double> close{10, 10.1, 9.9, 10, 10.05, 9.95, 10, 10.1, 9.9};
  EXPECT_FALSE(precision_of(close, 0.5).reached);
  std::vector<double> ten = close;
  ten.push_back(10);
  EXPECT_TRUE(precision_of(ten, 0.05).reached);
  const double exact = precision_of(ten, 0.05).relative;
  EXPECT_FALSE(precision_of(ten, exact).reached);
  EXPECT_TRUE(precision_of(ten, exact / (1 - exact) * 1.0001).reached);
  const Precision far = precision_of(ten, exact / 2);
  EXPECT_GE(far.needed, 40);
  EXPECT_LE(far.needed, 42);
}

// Would catch: noise or a few requests that stay behind taken for saturation.
TEST(Stability, TellsGrowthFromNoise) {
  EXPECT_TRUE(grows_without_end(std::vector{0.1, 0.11, 0.09, 0.1, 0.12}));
  EXPECT_FALSE(grows_without_end(std::vector{0.1, 0.11, 0.09, 0.1}));
  EXPECT_FALSE(grows_without_end(std::vector{0.5, -0.4, 0.3, -0.2, 0.1, 0.4}));
  EXPECT_FALSE(grows_without_end(std::vector{0.004, 0.004, 0.004, 0.004, 0.004}));
  EXPECT_FALSE(grows_without_end(std::vector{-0.1, -0.11, -0.09, -0.1, -0.12}));
}

RunPlan plan_at(const std::string& rate) {
  RunPlan plan;
  plan.trace = R"({"requests":1500,"arrivals":"poisson:rate=1","lengths":"alpaca-like"})";
  plan.policies = {"fcfs", "srpt"};
  plan.quiet = true;
  plan.settings = {{"model", "opt-13b", ""},
                   {"device", "a100-80g", ""},
                   {"max-num-seqs", "4", ""},
                   {"request-rate", rate, ""}};
  return plan;
}

// Would catch: a queue that grows without end reported like any other, and a stable one accused.
TEST(SteadyState, IsDeniedAboveSaturation) {
  // Four sequences of 58 tokens on average, some 26 ms each: about 2.7 requests/s.
  EXPECT_TRUE(run(plan_at("1.3"), nullptr).unstable.empty());
  EXPECT_EQ(run(plan_at("6"), nullptr).unstable, (std::vector<std::string>{"fcfs", "srpt"}));
  RunPlan several = plan_at("6");
  several.repeat = 5;
  EXPECT_EQ(run(several, nullptr).unstable.size(), 2U);
}

// Would catch: a warm-up of one policy's own, which would compare different requests.
TEST(SteadyState, LeavesOutTheSameRequestsUnderEachPolicy) {
  RunPlan plan = plan_at("2.6");
  plan.settings.push_back({"warmup", "auto", ""});
  const RunResults results = run(plan, nullptr);
  const auto left = results.runs[0].summary.value("requests");
  EXPECT_LE(*left, 1500);
  EXPECT_GE(*left, 750);
  EXPECT_EQ(left, results.runs[1].summary.value("requests"));
  std::vector<double> alone;
  for (const char* policy : {"fcfs", "srpt"}) {
    plan.policies = {policy};
    alone.push_back(*run(plan, nullptr).runs[0].summary.value("requests"));
  }
  EXPECT_NE(alone[0], alone[1]) << "nothing is tried";
  EXPECT_EQ(*left, std::min(alone[0], alone[1]));
}

// Would catch: seeds that go on after the goal, or stop before each policy has reached it.
TEST(SteadyState, DrawsSeedsUntilItKnowsEnough) {
  RunPlan plan = plan_at("1.3");
  plan.until = {parse_precision_goal("mean_jct_s+-5%")};
  plan.repeat = 200;
  const RunResults results = run(plan, nullptr);
  ASSERT_GE(results.runs.size(), 20U);
  ASSERT_LT(results.runs.size(), 400U);
  EXPECT_EQ(results.runs.size() % 2, 0U);
  const auto reached = [&](std::size_t runs) {
    std::vector<double> fcfs, srpt;
    for (std::size_t i = 0; i < runs; i += 2) {
      fcfs.push_back(*results.runs[i].summary.value("mean_jct_s"));
      srpt.push_back(*results.runs[i + 1].summary.value("mean_jct_s"));
    }
    return precision_of(fcfs, 0.05).reached && precision_of(srpt, 0.05).reached;
  };
  EXPECT_TRUE(reached(results.runs.size()));
  EXPECT_TRUE(results.runs.size() == 20 || !reached(results.runs.size() - 2));
}

// Would catch: a stream that is drawn in the order in which policies ask, so that the n-th request
// is another one under another policy, or a shorter run begins otherwise.
TEST(CommonRandomNumbers, GiveEachPolicyTheSameRequests) {
  const test::TemporaryFolder scratch;
  RunPlan plan = plan_at("3");
  plan.settings.push_back({"predictor", "noisy:sigma=1", ""});
  plan.policies = {"fcfs", "srpt", "skip-join-mlfq"};
  plan.repeat = 2;
  ResultFolder folder(scratch.path("out"));
  const RunResults results = run(plan, &folder);
  for (std::size_t i = 0; i < results.runs.size(); ++i) {
    const RunResult& first = results.runs[i - i % 3];
    const RequestPairs pairs =
        read_request_pairs(folder.path() / first.folder / "requests.csv",
                           folder.path() / results.runs[i].folder / "requests.csv");
    EXPECT_EQ(pairs.both.size(), 1500U) << results.runs[i].folder;
    EXPECT_EQ(first.trace_digest, results.runs[i].trace_digest);
  }
  EXPECT_NE(results.runs[0].trace_digest, results.runs[3].trace_digest);
}

// Would catch: a goal read as another than the one typed.
TEST(PrecisionGoals, AreReadStrictly) {
  EXPECT_DOUBLE_EQ(parse_precision_goal("p99_jct_s+-2.5%").relative, 0.025);
  EXPECT_EQ(parse_precision_goal("mean_jct_s±2%").metric, "mean_jct_s");
  for (const char* wrong : {"", "mean_jct_s", "mean_jct_s+-2", "jct+-2%", "mean_jct_s+-%",
                            "mean_jct_s+-0%", "mean_jct_s+-99%", "mean_jct_s+-nan%"}) {
    EXPECT_THROW(parse_precision_goal(wrong), InputError) << wrong;
  }
  RunPlan plan = plan_at("1");
  plan.trace = "nowhere.jsonl";
  plan.until = {parse_precision_goal("mean_jct_s+-5%")};
  EXPECT_THROW(run(plan, nullptr), InputError);
}

}  // namespace
}  // namespace tokenyard
