// Sweeps that are stopped, share a folder, or find one that was tampered with.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>

#include "sim/kernel/rng.hpp"
#include "tests/experiments/sweep_calls.hpp"

namespace tokenyard {
namespace {

namespace fs = std::filesystem;
using made_up::contents;
using sweeps::kPlan;
using testing::HasSubstr;

class SweepResume : public sweeps::SweepCalls {
 protected:
  /// What changes when a file is written anew.
  std::pair<ino_t, std::int64_t> written(const fs::path& file) const {
    struct stat found {};
    EXPECT_EQ(::stat(file.c_str(), &found), 0) << file;
    return {found.st_ino, found.st_mtim.tv_sec * 1'000'000'000 + found.st_mtim.tv_nsec};
  }
};

// Would catch: results that depend on the number of threads or on which of them was first.
TEST_F(SweepResume, JobsChangeNoByte) {
  write("p.json", kPlan);
  ASSERT_EQ(call("tokenyard sweep p.json --quiet --keep-cells --jobs 1 --out a"), 0) << err_;
  ASSERT_EQ(call("tokenyard sweep p.json --quiet --keep-cells --jobs 4 --out b"), 0) << err_;
  EXPECT_EQ(files("a"), files("b"));
  EXPECT_EQ(files("a", Part::cells), files("b", Part::cells));
  EXPECT_EQ(cells("a").size(), 16U);
}

// Would catch: a kill that loses or damages a finished cell, cells that are computed twice, what is
// left half-written, and a summary that tells of the kills.
TEST_F(SweepResume, TenKillsChangeNoByte) {
  constexpr int kKills = 10;
  constexpr std::size_t kCells = 60;
  write("p.json", R"({"trace":{"requests":400,"arrivals":"poisson:rate=2","lengths":"alpaca-like"},
                      "policies":["fcfs","mlfq","srpt"],"request_rates":[1,2,3,4],"seeds":5,
                      "options":{"model":"opt-13b","device":"a100-40g"}})");
  ASSERT_EQ(call("tokenyard sweep p.json --quiet --keep-cells --out whole"), 0) << err_;
  Rng rng = named_stream(20261121, "moments to kill at");
  std::map<std::string, std::pair<ino_t, std::int64_t>> seen;
  int killed = 0;
  for (int kill = 0; kill < kKills; ++kill) {
    const pid_t child =
        start({"sweep", "p.json", "--quiet", "--keep-cells", "--jobs", "2", "--out", "killed"});
    ASSERT_GT(child, 0);
    // Somewhere between its fifth and its next cell, so that ten kills come to pass.
    const std::size_t enough = seen.size() + rng() % (kCells / kKills);
    int status = 0;
    pid_t ended = 0;
    while (ended == 0 && cells("killed").size() < enough)
      ended = ::waitpid(child, &status, WNOHANG);
    ::usleep(static_cast<useconds_t>(rng() % 5000));
    ::kill(child, SIGKILL);
    if (ended == 0) ::waitpid(child, &status, 0);
    killed += WIFSIGNALED(status) ? 1 : 0;
    for (const std::string& cell : cells("killed")) {
      seen.emplace(cell, written(path("killed/cells") / cell / "cell.json"));
    }
  }
  EXPECT_EQ(killed, kKills);
  EXPECT_GT(seen.size(), 0U);
  ASSERT_EQ(call("tokenyard sweep p.json --quiet --keep-cells --out killed"), 0) << err_;
  EXPECT_EQ(files("killed"), files("whole"));
  EXPECT_EQ(files("killed", Part::cells), files("whole", Part::cells));
  for (const auto& [cell, when] : seen) {
    EXPECT_EQ(written(path("killed/cells") / cell / "cell.json"), when) << "computed twice";
  }
}

// Would catch: an interrupt that says nothing of how to go on, or leaves half a cell or a result.
TEST_F(SweepResume, AnInterruptTellsHowToGoOn) {
  write("p.json", R"({"trace":{"requests":4000,"arrivals":"poisson:rate=4",
                      "lengths":"sharegpt-like"},"policies":["fcfs","srpt"],"seeds":20,
                      "options":{"model":"opt-13b","device":"a100-40g","max-num-seqs":16}})");
  const pid_t child = start({"sweep", "p.json", "--jobs", "2", "--out", "s"});
  ASSERT_GT(child, 0);
  int status = 0;
  while (cells("s").empty()) {
    ASSERT_EQ(::waitpid(child, &status, WNOHANG), 0) << contents(path("said.txt"));
    ::usleep(1000);
  }
  ::kill(child, SIGTERM);
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 130);
  EXPECT_THAT(
      contents(path("said.txt")),
      HasSubstr("of 40 cells are done and kept in s; the same command goes on from there\n"));
  EXPECT_FALSE(fs::exists(path("s/summary.csv")));
  for (const auto& entry : fs::directory_iterator(path("s/cells"))) {
    EXPECT_THAT(entry.path().string(), testing::Not(HasSubstr(".partial")));
  }
}

// Would catch: a plan that grew and repeats what was done, or keeps files of the earlier results.
TEST_F(SweepResume, AGrownPlanRunsOnlyWhatIsNew) {
  const auto plan = [](const std::string& policies, int seeds) {
    return R"({"trace":{"requests":9,"arrivals":"burst:","lengths":"alpaca-like"},"policies":[)" +
           policies + R"(],"seeds":)" + std::to_string(seeds) +
           R"(,"options":{"model":"opt-13b","device":"a100-40g"}})";
  };
  write("p.json", plan(R"("fcfs","srpt")", 2));
  ASSERT_EQ(call("tokenyard sweep p.json --keep-cells --out s"), 0) << err_;
  EXPECT_THAT(out_, testing::Not(HasSubstr("there already")));
  write("p.json", plan(R"("fcfs","mlfq")", 3));
  ASSERT_EQ(call("tokenyard sweep p.json --keep-cells --out s"), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("2 of 6 cells were there already\n"));
  EXPECT_FALSE(fs::exists(path("s/srpt-seed=1"))) << "belongs to the earlier results";
  ASSERT_EQ(call("tokenyard sweep p.json --keep-cells --quiet --out anew"), 0) << err_;
  EXPECT_EQ(files("s"), files("anew"));
}

// Would catch: requests.csv that are missing because the cells were computed without them.
TEST_F(SweepResume, CellsAreComputedAgainForTheirFiles) {
  write("p.json", kPlan);
  ASSERT_EQ(call("tokenyard sweep p.json --quiet --out s"), 0) << err_;
  EXPECT_EQ(files("s").size(), 4U);
  ASSERT_EQ(call("tokenyard sweep p.json --quiet --keep-cells --out s"), 0) << err_;
  EXPECT_EQ(files("s").size(), 4 + 16U);
  ASSERT_EQ(call("tokenyard sweep p.json --quiet --keep-cells --out fresh"), 0) << err_;
  EXPECT_EQ(files("s"), files("fresh"));
}

// Would catch: damage that is taken for a result, stops the sweep, or is deleted.
TEST_F(SweepResume, DamagedCellsAreSetAsideAndComputedAgain) {
  write("p.json", kPlan);
  ASSERT_EQ(call("tokenyard sweep p.json --quiet --keep-cells --out whole"), 0) << err_;
  ASSERT_EQ(call("tokenyard sweep p.json --quiet --keep-cells --out s"), 0) << err_;
  const auto names = cells("s");
  const auto spoil = [&](std::size_t cell, const std::string& file, const std::string& text) {
    std::ofstream(path("s/cells") / names[cell] / file, std::ios::app) << text;
  };
  const std::string digit = contents(path("s/cells") / names[0] / "cell.json");
  fs::resize_file(path("s/cells") / names[0] / "cell.json", digit.size() / 2);
  spoil(1, "summary.csv", "x");
  fs::remove(path("s/cells") / names[2] / "cell.json");
  fs::remove_all(path("s/cells") / names[3]);
  write("s/cells/" + names[3], "a file");
  std::string changed = contents(path("s/cells") / names[4] / "cell.json");
  changed.replace(changed.find("\"passes\": ") + 10, 1, "9");
  write("s/cells/" + names[4] + "/cell.json", changed);
  for (const auto& entry : fs::directory_iterator(path("s/cells") / names[5])) {
    if (entry.is_directory()) std::ofstream(entry.path() / "requests.csv", std::ios::app) << "x";
  }
  fs::rename(path("s/cells") / names[6], path("s/cells") / names[7] / "within");
  fs::rename(path("s/cells") / names[7] / "within", path("kept"));
  fs::remove_all(path("s/cells") / names[7]);
  fs::rename(path("kept"), path("s/cells") / names[7]);  // one cell under the name of another

  ASSERT_EQ(call("tokenyard sweep p.json --quiet --keep-cells --out s"), 0) << err_;
  EXPECT_EQ(lines(err_).size(), 7U) << err_;
  EXPECT_THAT(err_, HasSubstr("cell.json"));
  EXPECT_THAT(err_, HasSubstr(": computed again; what was there is now s/cells/" + names[1] +
                              ".damaged\n"));
  EXPECT_EQ(files("s"), files("whole"));
  EXPECT_EQ(contents(path("s/cells") / (names[3] + ".damaged")), "a file");
  EXPECT_THAT(contents(path("s/cells") / (names[1] + ".damaged") / "summary.csv"),
              testing::EndsWith("x"));
  EXPECT_EQ(cells("s"), cells("whole"));
}

// Would catch: two sweeps that write over one another, and a lock that outlives its sweep.
TEST_F(SweepResume, OneSweepAtATime) {
  write("p.json", kPlan);
  fs::create_directories(path("s/cells"));
  EXPECT_EQ(call("exec 9>s/cells/.lock; flock 9; tokenyard sweep p.json --out s"), 2);
  EXPECT_THAT(err_, HasSubstr("s/cells: another sweep is at work here"));
  EXPECT_EQ(lines(err_).size(), 1U) << err_;
  EXPECT_FALSE(fs::exists(path("s/run.json")));
  EXPECT_EQ(call("tokenyard sweep p.json --quiet --out s"), 0) << err_;
}

// Would catch: a folder of somebody else's that is written into, and files beside the results that
// are lost when these are replaced.
TEST_F(SweepResume, LeavesAloneWhatIsNotItsOwn) {
  write("p.json", kPlan);
  fs::create_directories(path("theirs"));
  write("theirs/thesis.tex", "years of work");
  EXPECT_EQ(call("tokenyard sweep p.json --out theirs"), 2);
  EXPECT_THAT(err_, HasSubstr("is no result folder"));
  EXPECT_EQ(files("theirs", Part::cells).size(), 0U);
  ASSERT_EQ(call("tokenyard sweep p.json --quiet --limit 3 --out s"), 0) << err_;
  write("s/notes.txt", "mine");
  fs::create_directories(path("s/plots"));
  write("s/plots/old.png", "of the earlier results");
  ASSERT_EQ(call("tokenyard sweep p.json --quiet --limit 3 --out s"), 0) << err_;
  EXPECT_TRUE(fs::exists(path("s/plots"))) << "the results are the same";
  ASSERT_EQ(call("tokenyard sweep p.json --quiet --limit 4 --out s"), 0) << err_;
  EXPECT_EQ(contents(path("s/notes.txt")), "mine");
  EXPECT_FALSE(fs::exists(path("s/plots")));
}

// Would catch: a disk that runs full and takes finished cells along, leaves a half-written one that
// counts, or is not told of.
TEST_F(SweepResume, AFullDiskLosesNothing) {
  write("p.json", R"({"trace":{"requests":400,"arrivals":"burst:","lengths":"alpaca-like"},
                      "policies":["fcfs"],"variants":{"small":{"limit":9},"large":{}},
                      "options":{"model":"opt-13b","device":"a100-40g"}})");
  ASSERT_EQ(call("tokenyard sweep p.json --quiet --keep-cells --out whole"), 0) << err_;
  // A file above 16 KiB cannot be written, with or without the rights to mount a small disk.
  EXPECT_EQ(call("trap '' XFSZ; ulimit -f 32; tokenyard sweep p.json --keep-cells --out s"), 2);
  EXPECT_THAT(err_, HasSubstr("requests.csv"));
  EXPECT_EQ(lines(err_).size(), 1U) << err_;
  EXPECT_EQ(cells("s").size(), 1U) << "the small one";
  EXPECT_FALSE(fs::exists(path("s/run.json")));
  ASSERT_EQ(call("tokenyard sweep p.json --keep-cells --out s"), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("1 of 2 cells were there already\n"));
  EXPECT_EQ(files("s"), files("whole"));
}

}  // namespace
}  // namespace tokenyard
