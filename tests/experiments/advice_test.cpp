#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "experiments/run.hpp"
#include "sim/ports/cost_model.hpp"
#include "tests/support/files.hpp"

namespace tokenyard {
namespace {

constexpr const char* kHour = "3600000";  // ms

/// Everything takes an hour.
class Hours final : public CostModel {
 public:
  Duration iteration(const IterationLoad&) const override {
    ++asked;
    return std::chrono::hours(1);
  }
  Duration copy(std::int64_t) const override { return std::chrono::hours(1); }

  mutable int asked = 0;
};

/// Requests that pile up, under a policy whose first quantum is what it is told of an iteration.
RunPlan plan(const test::TemporaryFolder& folder, const std::string& policy) {
  RunPlan plan;
  plan.trace =
      R"({"requests":40,"arrivals":"poisson:rate=100","lengths":"zipf:theta=0.6,min=2,max=60"})";
  plan.policies = {policy};
  plan.quiet = true;
  const std::string cost = folder.write("cost.json", R"({"kind":"linear","iteration_s":0.001})");
  for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{
           {"cost", cost}, {"kv-blocks", "1000"}, {"max-num-seqs", "2"}}) {
    plan.settings.push_back({name, value, "--" + name});
  }
  return plan;
}

double mean_jct_s(const RunPlan& plan, const CostModel* advice) {
  RunShare share;
  share.advice = advice;
  return *run(plan, nullptr, share).runs.front().summary.value("mean_jct_s");
}

// Would catch: advice that policies do not hear, or that is charged.
TEST(Advice, ReachesThePolicyAndChargesNothing) {
  const test::TemporaryFolder folder;
  const Hours hours;
  const double advised = mean_jct_s(plan(folder, "mlfq"), &hours);
  const double told = mean_jct_s(plan(folder, std::string("mlfq:base_quantum_ms=") + kHour), {});
  EXPECT_EQ(advised, told);
  EXPECT_NE(advised, mean_jct_s(plan(folder, "mlfq"), nullptr));
  EXPECT_GT(hours.asked, 0);
}

// Would catch: live runs that are advised by something else than the simulated ones.
TEST(Advice, ReachesThePolicyOfALiveRun) {
  const test::TemporaryFolder folder;
  const Hours hours;
  RunPlan live = plan(folder, "mlfq");
  live.settings.push_back({"limit", "4", "--limit"});
  live.settings.push_back({"executor", "engine", "--executor"});
  live.settings.push_back({"clock", "wall", "--clock"});
  live.settings.push_back({"weights", "random:llama-tiny", "--weights"});
  live.settings.push_back({"threads", "1", "--threads"});
  EXPECT_LT(mean_jct_s(live, &hours), 3600);
  EXPECT_GT(hours.asked, 0);
}

}  // namespace
}  // namespace tokenyard
