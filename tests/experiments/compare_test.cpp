// Two result folders side by side, by the program's own runs.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "experiments/compare/comparison.hpp"
#include "experiments/run.hpp"
#include "sim/kernel/input_error.hpp"
#include "tests/support/files.hpp"

namespace tokenyard {
namespace {

namespace fs = std::filesystem;

class Compare : public testing::Test {
 protected:
  /// Runs `policies` over `seeds` draws of a small plan.
  fs::path results(const std::string& name, std::vector<std::string> policies, std::int64_t seeds,
                   const std::string& seqs = "8") {
    RunPlan plan;
    plan.trace = R"({"requests":300,"arrivals":"poisson:rate=3","lengths":"sharegpt-like"})";
    plan.policies = std::move(policies);
    plan.repeat = seeds;
    plan.quiet = plan.iterations = true;
    plan.settings = {
        {"model", "opt-13b", ""}, {"device", "a100-80g", ""}, {"max-num-seqs", seqs, ""}};
    ResultFolder out((folder_ / name).string());
    run(plan, &out);
    out.commit();
    return folder_ / name;
  }

  static const MetricComparison& metric(const SeriesComparison& series, const std::string& name) {
    return *std::find_if(series.metrics.begin(), series.metrics.end(),
                         [&](const auto& m) { return m.metric == name; });
  }

  const test::TemporaryFolder scratch_;
  const fs::path folder_ = scratch_.path();
};

std::vector<Gate> gates(std::initializer_list<const char*> texts) {
  std::vector<Gate> parsed;
  for (const char* text : texts) parsed.push_back(parse_gate(text));
  return parsed;
}

// Would catch: noise taken for a change where the bytes are the same.
TEST_F(Compare, FindsTheSameRunsIdentical) {
  const auto base = results("base", {"fcfs"}, 3), again = results("again", {"fcfs"}, 3);
  const auto found = compare_folders(base, again, gates({"mean_jct_s<=+0%", "p99_jct_s<=+3%"}));
  ASSERT_EQ(found.series.size(), 1U);
  for (const auto& each : found.series[0].metrics) {
    EXPECT_EQ(each.verdict, Verdict::identical) << each.metric;
  }
  EXPECT_TRUE(found.series[0].changed.empty());
  EXPECT_EQ(found.series[0].first_difference, "");
  for (const auto& gate : found.series[0].gates) EXPECT_EQ(gate.outcome, GateOutcome::pass);
}

// Would catch: a verdict the wrong way round, a gate that lets a worse policy pass, and a decision
// log whose difference is not found.
TEST_F(Compare, FindsASlowerServerWorse) {
  const auto base = results("base", {"fcfs"}, 6), slower = results("slower", {"fcfs"}, 6, "4");
  const auto found = compare_folders(
      base, slower, gates({"mean_jct_s<=+1%", "mean_jct_s<=+100000%", "mean_jct_s<=0.001"}));
  const SeriesComparison& series = found.series[0];
  EXPECT_EQ(series.pairs, 6);
  EXPECT_EQ(metric(series, "mean_jct_s").verdict, Verdict::worse);
  EXPECT_EQ(series.gates[0].outcome, GateOutcome::fail);
  EXPECT_EQ(series.gates[1].outcome, GateOutcome::pass);
  EXPECT_EQ(series.gates[2].outcome, GateOutcome::fail);
  EXPECT_EQ(series.changed.size(), 5U);
  EXPECT_NE(series.first_difference, "");
  EXPECT_EQ(compare_folders(slower, base, {}).series[0].metrics[0].base,
            metric(series, "requests").base);
  EXPECT_EQ(metric(compare_folders(slower, base, {}).series[0], "mean_jct_s").verdict,
            Verdict::better);
}

// Would catch: one trace compared as if it had no error, or as if its requests were independent.
TEST_F(Compare, BoundsOneTraceByItsWindows) {
  const auto base = results("base", {"fcfs"}, 1), other = results("other", {"srpt"}, 1);
  const auto found = compare_folders(base, other, {});
  ASSERT_EQ(found.series.size(), 1U);
  EXPECT_TRUE(found.series[0].by_windows);
  const auto& mean = metric(found.series[0], "mean_jct_s");
  ASSERT_TRUE(mean.change);
  EXPECT_LT(mean.change->low, mean.change->change);
  EXPECT_GT(mean.change->high, mean.change->change);
  EXPECT_FALSE(metric(found.series[0], "preemptions").change);
}

// Would catch: labels paired by place; a folder's leftovers dropped in silence.
TEST_F(Compare, PairsByLabelAndListsTheRest) {
  const auto base = results("base", {"fcfs", "srpt"}, 2);
  const auto other = results("other", {"srpt", "mlfq"}, 2);
  const auto found = compare_folders(base, other, {});
  ASSERT_EQ(found.series.size(), 1U);
  EXPECT_EQ(found.series[0].base, "srpt");
  EXPECT_EQ(metric(found.series[0], "mean_jct_s").verdict, Verdict::identical);
  EXPECT_EQ(found.unpaired, (std::vector<std::string>{"fcfs (base)", "mlfq (candidate)"}));
  EXPECT_THROW(compare_folders(results("a", {"fcfs", "srpt"}, 1), results("b", {"mlfq"}, 1), {}),
               InputError);
}

// Would catch: a rule read as another than the one typed.
TEST(Gates, AreReadStrictly) {
  EXPECT_EQ(parse_gate("p99_jct_s<=+3%").bound, 0.03);
  EXPECT_TRUE(parse_gate("p99_jct_s<=-1.5%").relative);
  EXPECT_FALSE(parse_gate("request_throughput>=2").at_most);
  for (const char* wrong : {"", "mean_jct_s", "mean_jct_s<+3%", "mean_jct_s<=3%", "jct<=+3%",
                            "mean_jct_s<=+x%", "mean_jct_s<=", "mean_jct_s<=nan"}) {
    EXPECT_THROW(parse_gate(wrong), InputError) << wrong;
  }
}

}  // namespace
}  // namespace tokenyard
