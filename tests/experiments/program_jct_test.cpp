// Job completion times of programs: requests that wait for one another or are of one session.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "experiments/record/program_times.hpp"
#include "experiments/report/table.hpp"
#include "experiments/run.hpp"
#include "experiments/run_json.hpp"
#include "tests/experiments/made_up.hpp"

namespace tokenyard {
namespace {

using made_up::at_ms;
using made_up::finished;
using made_up::ms;
using testing::HasSubstr;
using testing::Not;

// Would catch: a sum of request JCTs, or a span from another request's arrival or finish; a program
// that counts as completed without all of its requests. Program 1: [0, 1000] and [1500, 1700] ms;
// program 2 loses a request; two requests are programs by themselves, one of them rejected.
TEST(ProgramTimes, AreFromTheFirstArrivalToTheLastFinish) {
  ProgramTimes times(kOrigin, kNever);
  times.add(1, finished(3, 1500, 50, 50, 100, 2));
  times.add(1, finished(0, 0, 0, 100, 900, 10));
  times.add(2, finished(1, 10, 0, 100, 900, 10));
  times.add(2, made_up::rejected(4, 1600));
  times.add({}, finished(2, 20, 0, 100, 200, 3));
  times.add({}, made_up::rejected(5, 1700));
  const ProgramSummary summary = times.summary();
  EXPECT_EQ(summary.programs, 4);
  EXPECT_EQ(summary.completed, 2);
  EXPECT_DOUBLE_EQ(summary.jct.mean.value(), 1.0);
  EXPECT_DOUBLE_EQ(summary.jct.p50.value(), 0.3);
  EXPECT_DOUBLE_EQ(summary.jct.max.value(), 1.7);
}

// Would catch: a program of which a warm-up leaves a half.
TEST(ProgramTimes, CountByTheirBeginning) {
  ProgramTimes times(at_ms(100), at_ms(200));
  times.add(1, finished(0, 99, 0, 10, 10, 2));
  times.add(1, finished(1, 150, 0, 10, 10, 2));
  times.add(2, finished(2, 100, 0, 10, 10, 2));
  times.add(2, finished(3, 300, 0, 10, 30, 2));
  times.add(3, finished(4, 200, 0, 10, 10, 2));
  times.add({}, finished(5, 99, 0, 10, 10, 2));
  times.add({}, finished(6, 199, 0, 10, 50, 2));
  const ProgramSummary summary = times.summary();
  EXPECT_EQ(summary.programs, 2);
  EXPECT_DOUBLE_EQ(summary.jct.max.value(), 0.24);
  EXPECT_DOUBLE_EQ(summary.jct.p50.value(), 0.06);
}

class ProgramJct : public testing::Test {
 protected:
  std::string file(const std::string& name, const std::string& text) const {
    std::ofstream(scratch_.path() / name) << text;
    return (scratch_.path() / name).string();
  }

  RunPlan plan_of(const std::string& trace) const {
    RunPlan plan;
    plan.trace = file("t.jsonl", trace);
    plan.policies = {"fcfs"};
    plan.quiet = true;
    plan.settings = {{"cost", file("cost.json", R"({"kind":"linear","iteration_s":0.001})"), ""},
                     {"kv-blocks", "100", ""},
                     {"max-num-seqs", "1", ""}};
    return plan;
  }

  std::string summary_file(const RunPlan& plan) const {
    ResultFolder folder(scratch_.path() / "out");
    run(plan, &folder);
    folder.commit();
    return made_up::contents(scratch_.path() / "out" / "summary.csv");
  }

  made_up::ScratchFolder scratch_;
};

/// A server of 1 ms a token. a: [0, 3] ms, b is sent 10 ms later: [13, 15]; so 15 ms. Session 7:
/// c [5, 6] and d [100, 104], so 99 ms. e is alone: [200, 201].
constexpr const char* kTrace =
    R"({"id":"b","parents":["a"],"delay_ns":10000000,"input_tokens":1,"output_tokens":2})"
    "\n"
    R"({"id":"a","arrival_ns":0,"input_tokens":1,"output_tokens":3})"
    "\n"
    R"({"id":"c","arrival_ns":5000000,"input_tokens":1,"output_tokens":1,"session_id":7})"
    "\n"
    R"({"id":"d","arrival_ns":100000000,"input_tokens":1,"output_tokens":4,"session_id":"7"})"
    "\n"
    R"({"id":"e","arrival_ns":200000000,"input_tokens":1,"output_tokens":1})"
    "\n";

// Would catch: programs that are not told, or told of the recorded times rather than of the run's.
TEST_F(ProgramJct, OfAChainASessionAndASingleRequestByHand) {
  const RunResults results = run(plan_of(kTrace), nullptr);
  const Summary& summary = results.runs.front().summary;
  EXPECT_EQ(summary.value("requests"), 5);
  EXPECT_EQ(summary.value("programs"), 3);
  EXPECT_EQ(summary.value("programs_completed"), 3);
  EXPECT_DOUBLE_EQ(summary.value("mean_program_jct_s").value(), 0.115 / 3);
  EXPECT_DOUBLE_EQ(summary.value("p50_program_jct_s").value(), 0.015);
  EXPECT_DOUBLE_EQ(summary.value("p99_program_jct_s").value(), 0.099);
  EXPECT_DOUBLE_EQ(summary.value("max_program_jct_s").value(), 0.099);
  EXPECT_THAT(results_json(results), HasSubstr("\"mean_program_jct_s\": 0.03833"));
  const std::vector<Summary> rows = {summary};
  EXPECT_THAT(comparison_table(rows), HasSubstr("program"));
}

// Would catch: numbers that depend on the size of the loop's steps or on how the trace is read, or
// are wrong behind a program of another file's.
TEST_F(ProgramJct, IsTheSameHoweverTheRunIsCarriedOut) {
  RunPlan plan = plan_of(kTrace);
  const std::string expected = summary_file(plan);
  EXPECT_THAT(
      expected,
      HasSubstr(",kv_saved_mean,stage_bubble_share,programs,programs_completed,mean_program_jct_s,"
                "p50_program_jct_s,p90_program_jct_s,p95_program_jct_s,"
                "p99_program_jct_s,max_program_jct_s,clairvoyant\n"));
  plan.settings.push_back({"no-macro-steps", "true", ""});
  EXPECT_EQ(summary_file(plan), expected);

  std::string sessions;
  for (int i = 0; i < 10'000; ++i) {
    const std::string number = std::to_string(i);
    sessions += R"({"id":)" + number + R"(,"arrival_ns":)" + std::to_string(i * 100'000) +
                R"(,"input_tokens":1,"output_tokens":1)" +
                (i % 3 == 0 ? R"(,"session_id":"s)" + std::to_string(i % 700) + "\"" : "") + "}\n";
  }
  plan = plan_of(sessions);
  const std::string whole = summary_file(plan);
  EXPECT_THAT(whole, HasSubstr("program_jct_s"));
  plan.stream_bytes = 0;
  EXPECT_EQ(summary_file(plan), whole);
}

// Would catch: the engine's runs without programs, or with other ones.
TEST_F(ProgramJct, IsToldOfTheEngineToo) {
  RunPlan plan = plan_of(kTrace);
  plan.settings.push_back({"executor", "engine", ""});
  plan.settings.push_back({"weights", "random:llama-tiny", ""});
  const Summary simulated = run(plan, nullptr).runs.front().summary;
  EXPECT_DOUBLE_EQ(simulated.value("mean_program_jct_s").value(), 0.115 / 3);
  plan.settings.push_back({"clock", "wall", ""});
  const Summary live = run(plan, nullptr).runs.front().summary;
  EXPECT_EQ(live.value("programs"), 3);
  EXPECT_GE(live.value("max_program_jct_s").value(), 0.095);
}

// Would catch: columns in the results of traces that have neither sessions nor parents.
TEST_F(ProgramJct, IsLeftOutWhereEachRequestIsOnItsOwn) {
  RunPlan plan = plan_of(
      R"({"id":"a","arrival_ns":0,"input_tokens":1,"output_tokens":3,"turn":2,"model":"m"})");
  EXPECT_THAT(summary_file(plan), Not(HasSubstr("program")));
  const RunResults results = run(plan, nullptr);
  EXPECT_THAT(results_json(results), Not(HasSubstr("program")));
}

}  // namespace
}  // namespace tokenyard
