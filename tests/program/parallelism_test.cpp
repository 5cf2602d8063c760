// Runs over several devices, as users call them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/program/program_call.hpp"

namespace tokenyard {
namespace {

using testing::HasSubstr;

constexpr const char* kPlan =
    R"({"requests":60,"arrivals":"poisson:rate=3","lengths":"sharegpt-like"})";
constexpr const char* kMachine = " --model opt-66b --device a100-40g --max-num-seqs 8 ";

// Would catch: a recorded pipeline that cannot be replayed, or decides differently; results that
// depend on more than their inputs where several iterations are in flight.
TEST_F(Program, APipelineRunsReplaysAndRepeats) {
  write("plan.json", kPlan);
  const std::string run = std::string("run plan.json skip-join-mlfq --tp 2 --pp 3 --evict swap ") +
                          "--proactive-swap --topology p4d.24xlarge" + kMachine;
  const Called called = call(run + "--record r.jsonl --out a --iterations --timeline");
  ASSERT_EQ(called.status, 0) << called.err;
  const Called replayed = call("replay r.jsonl");
  EXPECT_EQ(replayed.status, 0) << replayed.out << replayed.err;
  ASSERT_EQ(call(run + "--record r.jsonl --out b --iterations --timeline --no-macro-steps").status,
            0);
  auto first = files("a"), second = files("b");
  first.erase("run.json");  // it has the setting
  second.erase("run.json");
  EXPECT_EQ(first, second);
}

// Would catch: a timeline whose stages overlap themselves, or without bubbles; a share of bubbles
// that is not that of the slices drawn.
TEST_F(Program, TheTimelineDrawsStagesAndBubbles) {
  write("plan.json", kPlan);
  const Called called =
      call(std::string("run plan.json fcfs --pp 4 --out a --timeline --json") + kMachine);
  ASSERT_EQ(called.status, 0) << called.err;
  double busy = 0, bubbles = 0;
  std::map<int, double> ends;
  for (const auto& event :
       nlohmann::json::parse(test::file_content(folder_ / "a/fcfs/timeline.json"))) {
    if (event.at("pid") != 3 || event.at("ph") != "X") continue;
    double& end = ends[event.at("tid").get<int>()];
    const double from = event.at("ts").get<double>(), duration = event.at("dur").get<double>();
    EXPECT_GE(from, end - 1e-3);
    end = from + duration;
    (event.at("name") == "bubble" ? bubbles : busy) += duration;
  }
  EXPECT_EQ(ends.size(), 4U);
  EXPECT_GT(bubbles, 0);
  const auto result = nlohmann::json::parse(called.out);
  const double share = result.at("runs").at(0).at("stage_bubble_share").get<double>();
  EXPECT_NEAR(share, bubbles / (busy + bubbles), 1e-6);
}

// Would catch: a specification that cannot be and runs all the same, or is refused without the
// numbers that show it.
TEST_F(Program, ImpossibleParallelismIsRefusedWithItsNumbers) {
  write("plan.json", kPlan);
  write("apart.json", R"({"name":"apart","source":"a test","operation_s":0,"efficiencies":{"x":1},
    "nodes":[{"name":"a","kind":"device"},{"name":"b","kind":"device"},{"name":"h","kind":"host"}],
    "links":[{"from":"a","to":"h","kind":"x","bandwidth_bytes_per_s":1e9,"latency_s":0}]})");
  const std::string run = std::string("run plan.json fcfs") + kMachine;
  const std::pair<const char*, const char*> cases[] = {
      {"--tp 5", "5 does not divide the 72 heads of opt-66b"},
      {"--tp 2", "opt-66b does not fit on 2 a100-40g: its weights take 61.2 GiB a device"},
      {"--pp 65", "65 stages for the 64 layers of opt-66b"},
      {"--tp 4 --pp 4 --topology dgx-a100", "dgx-a100 has 8 devices; 4 x 4 are needed"},
      {"--tp 4 --topology dgx-a10", "unknown topology 'dgx-a10'"},
      {"--tp 4 --topology apart.json",
       "disconnected: no links lead from a to b; it reaches 0 of "
       "the 1 other devices"},
      {"--pp 2 --executor engine --weights random:llama-134m", "the engine is one device"},
  };
  for (const auto& [options, message] : cases) {
    const Called called = call(run + options + " --out refused");
    EXPECT_EQ(called.status, 2) << options;
    EXPECT_THAT(called.err, HasSubstr(message)) << options;
    EXPECT_EQ(std::count(called.err.begin(), called.err.end(), '\n'), 1) << called.err;
    EXPECT_FALSE(std::filesystem::exists(folder_ / "refused")) << options;
  }
}

}  // namespace
}  // namespace tokenyard
