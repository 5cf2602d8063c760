#include "experiments/validate/validate_run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "models/cost_model_file.hpp"
#include "sim/kernel/text.hpp"
#include "tests/support/files.hpp"

namespace tokenyard {
namespace {

std::unique_ptr<CostModel> cost_of(const std::string& text) {
  return cost_model_from_json(JsonFile::parse(text, "cost"),
                              std::filesystem::path(TOKENYARD_SOURCE_DIR) / "models");
}

// Would catch: simulations or iterations that the first rounds charge, or that all rounds advise; a
// load by the first rounds. What the engine takes is this computer's: only that it belongs together
// is looked at.
TEST(ValidateRun, ChargesByAllRoundsAndAdvisesByTheFirst) {
  ValidationPlan plan;
  plan.run.trace =
      R"({"requests":20,"arrivals":"poisson:rate=9","lengths":"zipf:theta=0.6,min=4,max=40"})";
  plan.run.policies = {"mlfq"};
  plan.run.quiet = true;
  const auto set = [&](const std::string& name, const std::string& value) {
    plan.run.settings.push_back({name, value, "--" + name});
  };
  set("max-num-seqs", "4");
  set("max-num-batched-tokens", "64");
  set("max-model-len", "128");
  set("kv-blocks", "40");
  const std::vector<GivenSetting> of_simulation = plan.run.settings;
  set("weights", "random:llama-tiny");
  set("threads", "1");
  plan.repetitions = 2;
  plan.load = 0.9;
  plan.profile.allowed = Duration{0};
  std::int64_t told = 0;
  const ValidationResults found = run_validation(plan, [&](std::int64_t done, std::int64_t of) {
    EXPECT_EQ(done, ++told);
    EXPECT_LE(done, of);
  });
  ASSERT_NE(found.cost, found.advice);

  const test::TemporaryFolder folder;
  plan.run.settings = of_simulation;
  set("request-rate", format_number(found.request_rate));
  set("cost", folder.write("cost.json", found.cost));
  const auto advice = cost_of(found.advice);
  RunShare share;
  share.advice = advice.get();
  const RunResults again = run(plan.run, nullptr, share);
  EXPECT_EQ(again.runs.front().summary.value("mean_jct_s"),
            found.runs.front().simulated.value("mean_jct_s"));

  const auto cost = cost_of(found.cost);
  ASSERT_EQ(found.runs.front().iterations.size(), 2U);
  for (const auto& iterations : found.runs.front().iterations) {
    EXPECT_FALSE(iterations.empty());
    for (const ChargedIteration& each : iterations) {
      EXPECT_EQ(each.charged_s, to_seconds(cost->iteration(each.load)));
    }
  }
}

// Would catch: minutes of measuring before bad input is looked at.
TEST(ValidateRun, RefusesBadInputBeforeMeasuring) {
  ValidationPlan plan;
  plan.run.policies = {"fcfs"};
  plan.run.settings = {{"weights", "random:llama-tiny", "--weights"}};
  const auto refusal = [&] {
    return test::refusal([&] {
      run_validation(plan, [](std::int64_t, std::int64_t) { throw InputError("measured"); });
    });
  };
  plan.run.trace = "nowhere.csv";
  EXPECT_THAT(refusal(), testing::HasSubstr("nowhere.csv"));
  plan.run.trace = R"({"requests":1,"arrivals":"poisson:rate=9","lengths":"alpaca-like"})";
  EXPECT_EQ(refusal(), "measured");
  plan.run.policies = {"nosuch"};
  EXPECT_THAT(refusal(), testing::HasSubstr("unknown policy 'nosuch'"));
}

}  // namespace
}  // namespace tokenyard
