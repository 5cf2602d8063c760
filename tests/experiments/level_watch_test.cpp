#include "experiments/record/level_watch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "experiments/cli/run_command.hpp"
#include "experiments/report/result_csv.hpp"
#include "sim/kernel/text.hpp"
#include "tests/experiments/made_up.hpp"

namespace tokenyard {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWorkload =
    R"({"requests":120,"arrivals":"poisson:rate=6","lengths":"sharegpt-like"})";

void run_mlfq(const fs::path& folder, const std::string& policy, bool macro_steps) {
  std::vector<std::string> arguments = {
      kWorkload,        policy, "--model",     "opt-13b", "--device", "a100-40g", "--iterations",
      "--max-num-seqs", "16",   "--kv-blocks", "300",     "--quiet",  "--out",    folder.string()};
  if (!macro_steps) arguments.emplace_back("--no-macro-steps");
  testing::internal::CaptureStdout();
  ASSERT_EQ(run_run_command(arguments), 0);
  testing::internal::GetCapturedStdout();
}

// Would catch: a live request that no level counts or two do, promotions and evictions that are
// missed, and levels told at another instant when iterations are carried out at once.
TEST(LevelWatch, EveryLiveRequestStandsOnOneLevel) {
  const made_up::ScratchFolder scratch;
  const std::string policy = "skip-join-mlfq:ratio=2,promote_after_ms=2000";
  const std::string name = "skip-join-mlfq-ratio=2-promote_after_ms=2000";
  run_mlfq(scratch.path() / "macro", policy, true);
  const fs::path file = scratch.path() / "macro" / name / "iterations.csv";
  ResultCsv csv(file);
  const auto batch = csv.column("batch"), waiting = csv.column("waiting"),
             levels = csv.column("level_requests");
  std::size_t most_levels = 0, rows = 0;
  for (; csv.next(); ++rows) {
    std::int64_t standing = 0;
    const auto counts = split(csv.text(levels), ';');
    most_levels = std::max(most_levels, counts.size());
    for (const auto count : counts) standing += parse_integer(count).value_or(-1000);
    ASSERT_EQ(standing, static_cast<std::int64_t>(csv.count(batch) + csv.count(waiting)))
        << "iteration " << rows;
  }
  EXPECT_GT(rows, 1000u);
  EXPECT_GE(most_levels, 5u);
  run_mlfq(scratch.path() / "single", policy, false);
  EXPECT_EQ(made_up::contents(file),
            made_up::contents(scratch.path() / "single" / name / "iterations.csv"));
}

// Would catch: a level shown for a policy that has none, and a run that watching changes.
TEST(LevelWatch, OtherPoliciesHaveNone) {
  const made_up::ScratchFolder scratch;
  run_mlfq(scratch.path() / "r", "fcfs", true);
  ResultCsv csv(scratch.path() / "r" / "fcfs" / "iterations.csv");
  const auto levels = csv.column("level_requests");
  std::size_t rows = 0;
  for (; csv.next(); ++rows) ASSERT_EQ(csv.text(levels), "");
  EXPECT_GT(rows, 1000u);
}

}  // namespace
}  // namespace tokenyard
