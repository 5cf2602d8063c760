// The highest rate that keeps service level objectives.

#include "experiments/capacity/capacity.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "experiments/capacity/capacity_files.hpp"
#include "experiments/report/result_csv.hpp"
#include "experiments/report/result_reader.hpp"
#include "sim/kernel/input_error.hpp"
#include "tests/support/files.hpp"
#include "traces/generate.hpp"
#include "traces/writer.hpp"

namespace tokenyard {
namespace {

/// One request at a time, tokens of 20 ms, 50 on average and geometric: an M/G/1 queue with mean
/// service 1 s.
CapacityPlan memoryless(std::initializer_list<const char*> rules) {
  static const test::TemporaryFolder folder;
  static const std::string cost =
      folder.write("cost.json", R"({"kind":"linear","iteration_s":0.02})");
  CapacityPlan plan;
  plan.run.trace = R"({"requests":500,"arrivals":"poisson:rate=1",)"
                   R"("lengths":"geometric:prompt=1,output_mean=50"})";
  plan.run.policies = {"fcfs"};
  plan.run.quiet = true;
  plan.run.repeat = 10;
  plan.run.settings = {{"cost", cost, ""}, {"kv-blocks", "1000000", ""}, {"max-num-seqs", "1", ""}};
  for (const char* rule : rules) plan.rules.push_back(parse_slo(rule));
  return plan;
}

// Would catch: a rate read off the wrong side of the bound, a warm-up that is left in, an interval
// that does not hold the truth. E[T] = 1 + 0.99 r / (1 - r) (Pollaczek and Khinchine) is 3 at
// 2/2.99.
TEST(Capacity, IsTheRateThatTheoryGives) {
  const Capacities found = measure_capacity(memoryless({"mean_jct_s<=3"}));
  ASSERT_EQ(found.series.size(), 1U);
  const Capacity& one = found.series.front();
  ASSERT_TRUE(one.rate && one.low && one.high);
  EXPECT_NEAR(*one.rate, 2 / 2.99, 0.03);
  EXPECT_LE(*one.low, 2 / 2.99);
  EXPECT_GE(*one.high, 2 / 2.99);
  EXPECT_NE(one.reason.find("mean_jct_s<=3"), std::string::npos) << one.reason;
  for (const MeasuredPoint& point : one.points) {
    EXPECT_EQ(point.estimated, point.rate <= *one.rate) << point.rate;
  }
  EXPECT_EQ(one.summaries.size(), 10 * one.points.size());
}

// Would catch: a server beyond saturation that keeps a generous rule because its runs end, and the
// steady state asked of runs that are to be terminating.
TEST(Capacity, EndsAtSaturation) {
  CapacityPlan plan = memoryless({"mean_jct_s<=100000"});
  plan.run.repeat = 5;
  const Capacity steady = measure_capacity(plan).series.front();
  ASSERT_TRUE(steady.rate);
  EXPECT_NEAR(*steady.rate, 1, 0.05);
  EXPECT_NE(steady.reason.find("saturation"), std::string::npos) << steady.reason;
  plan.terminating = true;
  const Capacity terminating = measure_capacity(plan).series.front();
  EXPECT_FALSE(terminating.bounded);
  EXPECT_EQ(*terminating.summaries.front().value("requests"), 500);
}

// Would catch: a rule that nothing can keep answered by a rate, or by a search without end.
TEST(Capacity, SaysThatARuleIsNeverMet) {
  CapacityPlan plan = memoryless({"mean_jct_s<=0.5"});
  plan.requests = 300;
  plan.run.repeat = 2;
  const Capacity found = measure_capacity(plan).series.front();
  EXPECT_FALSE(found.rate);
  EXPECT_NE(found.reason.find("never met"), std::string::npos) << found.reason;
}

// Would catch: rules taken one by one instead of together; a share that leaves the requests out
// that miss its bounds or were rejected; a rate above that of the harder rule.
TEST(Capacity, KeepsEveryRule) {
  const auto rate = [](std::initializer_list<const char*> rules) {
    CapacityPlan plan = memoryless(rules);
    plan.requests = 2'000;
    plan.run.repeat = 3;
    return measure_capacity(plan).series.front().rate.value_or(0);
  };
  const double first = rate({"mean_jct_s<=3"});
  const double share = rate({"ttft_s<=1,tpot_s<=0.5:share>=0.7"});
  EXPECT_LT(share, first);
  EXPECT_GT(share, 0);
  EXPECT_EQ(rate({"mean_jct_s<=3", "ttft_s<=1,tpot_s<=0.5:share>=0.7"}), share);
  // Without the time in the queue the bounds are kept by all, whatever the rate.
  EXPECT_GT(rate({"tpot_s<=0.5:share>=0.7"}), 0.9);
  CapacityPlan rejecting = memoryless({"p90_ttft_s<=1000"});
  rejecting.requests = 2'000;
  rejecting.run.repeat = 3;
  rejecting.run.settings.push_back({"max-waiting", "1", ""});
  const auto found = measure_capacity(rejecting).series.front().rate;
  // Of those that come a tenth is rejected long before saturation.
  EXPECT_LT(found.value_or(9), 0.9);
}

// Would catch: a recorded trace with an interval out of nothing.
TEST(Capacity, OfARecordedTraceIsExact) {
  const test::TemporaryFolder folder;
  std::string rows = "id,arrival_ns,input_tokens,output_tokens\n";
  for (int i = 0; i < 400; ++i) rows += fmt::format("{},{},1,50\n", i, i * 1'000'000'000LL);
  CapacityPlan plan = memoryless({"max_jct_s<=2"});
  plan.run.trace = folder.write("trace.csv", rows);
  const Capacities found = measure_capacity(plan);
  EXPECT_FALSE(found.series.front().low);
  // Equal gaps and equal requests of 1 s: nobody waits below 1 request/s.
  EXPECT_NEAR(found.series.front().rate.value_or(0), 1, 0.02);
  EXPECT_EQ(found.notes.size(), 1U);
}

// Would catch: resamples that are all the same, or are not at the rate that is measured, so that a
// recorded trace has no interval or one of nothing. Of an M/D/1 queue with a service of 1 s, the
// mean time in the system is 1 + r / (2 (1 - r)): 3 at 0.8.
TEST(Capacity, OfResamplesHasAnInterval) {
  const test::TemporaryFolder folder;
  CapacityPlan plan = memoryless({"mean_jct_s<=3"});
  plan.run.trace = folder.path("trace.csv");
  WorkloadPlan poisson{2000, "poisson:rate=1", "fixed:prompt=1,output=50", {}};
  write_trace(generate(poisson, 1), plan.run.trace);
  plan.run.settings.push_back({"resample", "blocks:100", ""});
  plan.run.repeat = 5;
  const Capacities found = measure_capacity(plan);
  const Capacity& one = found.series.front();
  ASSERT_TRUE(one.rate && one.low && one.high);
  EXPECT_LT(*one.low, *one.rate);
  EXPECT_GT(*one.high, *one.rate);
  EXPECT_NEAR(*one.rate, 0.8, 0.06);
  EXPECT_TRUE(found.notes.empty());
}

// Would catch: columns and cells that do not go together, and a folder that another command takes
// for its own.
TEST(Capacity, LeavesWhatItMeasured) {
  CapacityPlan plan = memoryless({"mean_jct_s<=3", "ttft_s<=9,tpot_s<=0.5:share>=0.9"});
  plan.requests = 500;
  plan.run.repeat = 2;
  const test::TemporaryFolder scratch;
  ResultFolder folder(scratch.path("capacity"));
  const Capacities found = measure_capacity(plan);
  write_capacity(plan, found, folder);
  ResultCsv points(folder.path() / "points.csv");
  const std::size_t rule = points.column("rule"), value = points.column("value");
  std::size_t rows = 0;
  for (; points.next(); ++rows) {
    const MeasuredPoint& point = found.series.front().points[rows / 2];
    EXPECT_EQ(points.text(rule), plan.rules[rows % 2].text);
    EXPECT_DOUBLE_EQ(points.number(value), *point.values[rows % 2].mean);
  }
  EXPECT_EQ(rows, 2 * found.series.front().points.size());
  ResultCsv capacity(folder.path() / "capacity.csv");
  ASSERT_TRUE(capacity.next());
  EXPECT_DOUBLE_EQ(capacity.number(capacity.column("rate")), *found.series.front().rate);
  EXPECT_THROW(read_result_folder(folder.path()), InputError);
}

// Would catch: a rule read as another than the one typed.
TEST(Slo, IsReadStrictly) {
  EXPECT_EQ(parse_slo("p99_ttft_s<=0.5").bound, 0.5);
  const Slo share = parse_slo("ttft_s<=0.5,tpot_s<=0.05:share>=0.9");
  EXPECT_EQ(share.bounds->ttft, Duration(500'000'000));
  EXPECT_EQ(share.bounds->tpot, Duration(50'000'000));
  EXPECT_FALSE(share.bounds->jct);
  EXPECT_FALSE(share.at_most);
  EXPECT_DOUBLE_EQ(quantile_of("p95_jct_s").value(), 0.95);
  EXPECT_FALSE(quantile_of("preemptions"));
  for (const char* wrong :
       {"", "foo<=1", "mean_jct_s", "mean_jct_s<=+3%", "mean_jct_s<=nan", "ttft_s<=0.5",
        "ttft_s<=0.5,tpot_s<=0.05", "ttft_s<=2:share>=1.5", "ttft_s<=2:share>=0",
        "ttft_s<=x:share>=0.5", "ttft_s>=1:share>=0.5", ":share>=0.5", "itl_s<=1:share>=0.5",
        "ttft_s<=1,ttft_s<=2:share>=0.5", "ttft_s<=1:share<=0.5", "request_throughput>=3"}) {
    EXPECT_THROW(parse_slo(wrong), InputError) << wrong;
  }
}

}  // namespace
}  // namespace tokenyard
