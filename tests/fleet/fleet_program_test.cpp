// Several servers as a user runs them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "experiments/cli/run_command.hpp"
#include "experiments/report/result_csv.hpp"
#include "tests/support/files.hpp"

namespace tokenyard::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

constexpr const char* kWorkload =
    R"({"requests":200,"arrivals":"poisson:rate=8","lengths":"sharegpt-like"})";

constexpr const char* kClosedLoop =
    R"({"requests":200,"arrivals":"closed:users=20,think_s=0.2","lengths":"sharegpt-like"})";

std::vector<std::string> arguments_of(const std::vector<std::string>& more,
                                      const char* workload = kWorkload) {
  std::vector<std::string> arguments = {
      workload,   "skip-join-mlfq:ratio=2", "--model", "opt-13b", "--device",
      "a100-40g", "--max-num-seqs",         "16",      "--quiet"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

void run_into(const fs::path& folder, std::vector<std::string> more,
              const char* workload = kWorkload) {
  more.insert(more.end(), {"--out", folder.string()});
  testing::internal::CaptureStdout();
  EXPECT_EQ(run_run_command(arguments_of(more, workload)), 0);
  testing::internal::GetCapturedStdout();
}

std::string refusal_of(const std::vector<std::string>& more) {
  return refusal([&] { run_run_command(arguments_of(more)); });
}

// Would catch: a result file that depends on how far macro-steps go, or rows of several replicas in
// no order.
TEST(FleetProgram, ResultsAreTheSameBytesWithoutMacroSteps) {
  const std::vector<std::vector<std::string>> cases = {
      {"--replicas", "3", "--router", "least-tokens"},
      {"--replicas", "3", "--router", "power-of-two", "--fail-replica", "1:5:4", "--fail-replica",
       "0:9"},
      {"--replicas", "4", "--prefill-replicas", "2", "--fail-replica", "0:6:3,3:8:2"}};
  for (std::size_t i = 0; i < 2 * cases.size(); ++i) {
    const auto& options = cases[i / 2];
    const char* const workload = i % 2 == 0 ? kWorkload : kClosedLoop;
    const TemporaryFolder temporary;
    const fs::path folder = temporary.path();
    auto more = options;
    more.emplace_back("--iterations");
    run_into(folder / "macro", more, workload);
    more.emplace_back("--no-macro-steps");
    run_into(folder / "single", more, workload);
    const std::string label = "skip-join-mlfq-ratio=2";
    for (const fs::path& file : {fs::path(label) / "requests.csv",
                                 fs::path(label) / "iterations.csv", fs::path("summary.csv")}) {
      const std::string text = file_content(folder / "macro" / file);
      EXPECT_GT(text.size(), 500U) << file;
      EXPECT_TRUE(text == file_content(folder / "single" / file)) << file;
    }
    ResultCsv rows(folder / "macro" / label / "iterations.csv");
    const auto start = rows.column("start_s"), length = rows.column("duration_s"),
               replica = rows.column("replica");
    double last_end = 0, highest = 0;
    while (rows.next()) {
      const double end = rows.number(start) + rows.number(length);
      EXPECT_GE(end, last_end - 1e-9);
      last_end = end;
      highest = std::max(highest, rows.number(replica));
    }
    EXPECT_GE(highest, 2);
  }
}

// Would catch: a fleet that cannot be run again from what run.json says of it.
TEST(FleetProgram, RunJsonNamesTheFleet) {
  const TemporaryFolder temporary;
  const fs::path folder = temporary.path();
  run_into(folder / "r", {"--replicas", "2", "--router", "random", "--fail-replica", "1:5:4"});
  EXPECT_THAT(file_content(folder / "r" / "run.json"),
              AllOf(HasSubstr(R"("replicas": 2)"), HasSubstr(R"("router": "random")"),
                    HasSubstr(R"("fail-replica": "1:5:4")")));
}

// Would catch: a specification that cannot be met and is run, or is refused without the numbers.
TEST(FleetProgram, BadSpecificationsAreRefused) {
  EXPECT_THAT(refusal_of({"--replicas", "2", "--fail-replica", "2:10"}),
              AllOf(HasSubstr("no replica 2"), HasSubstr("the last is 1")));
  EXPECT_THAT(refusal_of({"--replicas", "2", "--fail-replica", "0:10,1:20"}),
              AllOf(HasSubstr("20 s"), HasSubstr("all 2 replicas")));
  EXPECT_THAT(refusal_of({"--replicas", "2", "--fail-replica", "0:10:5,0:12:1"}),
              HasSubstr("down then already"));
  EXPECT_THAT(refusal_of({"--replicas", "2", "--fail-replica", "0:ten"}), HasSubstr("0:ten"));
  EXPECT_THAT(refusal_of({"--replicas", "3", "--prefill-replicas", "3"}),
              AllOf(HasSubstr("--prefill-replicas 3"), HasSubstr("--replicas 3")));
  EXPECT_THAT(refusal_of({"--replicas", "3", "--prefill-replicas", "1", "--fail-replica", "0:3"}),
              HasSubstr("that prefill"));
  EXPECT_THAT(refusal_of({"--replicas", "2", "--router", "least-loded"}),
              AllOf(HasSubstr("--router"), HasSubstr("least-loaded")));
  EXPECT_THAT(refusal_of({"--replicas", "9", "--topology", "dgx-a100", "--prefill-replicas", "1"}),
              HasSubstr("--replicas"));
  EXPECT_THAT(refusal_of({"--replicas", "2", "--record", "/tmp/never-written"}),
              HasSubstr("--record"));
  EXPECT_THAT(refusal_of({"--replicas", "2", "--timeline", "--out", "/tmp/never-written"}),
              HasSubstr("--timeline"));
}

}  // namespace
}  // namespace tokenyard::test
