// What a sweep is made of: names of cells, shared traces, threads, and the line on the terminal.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <sstream>
#include <stdexcept>

#include "experiments/cli/sweep_progress.hpp"
#include "experiments/sweep/cell_name.hpp"
#include "experiments/sweep/file_digest.hpp"
#include "experiments/sweep/parallel.hpp"
#include "experiments/sweep/shared_traces.hpp"
#include "tests/experiments/made_up.hpp"

namespace tokenyard {
namespace {

RunPlan a_plan() {
  RunPlan plan;
  plan.trace = R"({"requests":20,"arrivals":"poisson:rate=2","lengths":"alpaca-like"})";
  plan.policies = {"fcfs"};
  plan.settings = {{"model", "opt-13b", ""}, {"device", "a100-40g", ""}};
  plan.seed = 3;
  return plan;
}

std::string name_of(const RunPlan& plan) {
  SharedTraces traces;
  const RunRow row = only_row(plan);
  return cell_name(plan, row, traces.of(plan, row.machine.settings, first_seed(plan)).digest);
}

// Would catch: a result that is taken for another's because something that decides it is not in its
// name, and a name that depends on how the same was written down.
TEST(CellName, HoldsAllThatDecides) {
  std::set<std::string> names = {name_of(a_plan())};
  const auto differs = [&](const auto& change) {
    RunPlan plan = a_plan();
    change(plan);
    return names.insert(name_of(plan)).second;
  };
  const auto set = [](const char* name, const char* value) {
    return [=](RunPlan& plan) { plan.settings.push_back({name, value, ""}); };
  };
  EXPECT_TRUE(differs([](RunPlan& plan) { plan.seed = 4; }));
  EXPECT_TRUE(differs([](RunPlan& plan) { plan.policies = {"srpt"}; }));
  EXPECT_TRUE(differs([](RunPlan& plan) { plan.systems = {"vllm"}; }));
  EXPECT_TRUE(differs([](RunPlan& plan) { plan.iterations = true; }));
  EXPECT_TRUE(differs([](RunPlan& plan) { plan.timeline = true; }));
  EXPECT_TRUE(differs([](RunPlan& plan) { plan.zero = "error"; }));
  EXPECT_TRUE(differs([](RunPlan& plan) { plan.trace.replace(plan.trace.find("20"), 2, "21"); }));
  EXPECT_TRUE(differs(set("max-num-seqs", "7")));
  EXPECT_TRUE(differs(set("request-rate", "5")));
  EXPECT_TRUE(differs(set("limit", "9")));
  EXPECT_TRUE(differs(set("warmup", "1")));
  EXPECT_TRUE(differs(set("guard", "after_ms=300")));
  EXPECT_FALSE(differs(set("max-num-seqs", "256"))) << "is the default";
  EXPECT_FALSE(differs([](RunPlan& plan) { plan.quiet = true; }));
}

// Would catch: a seed that counts only where the trace is drawn with it (it feeds predictors too),
// and a recorded trace that is known by its path.
TEST(CellName, KnowsARecordedTraceByItsRequests) {
  const made_up::ScratchFolder scratch;
  const auto named = [&](const char* file, const char* row, std::uint64_t seed) {
    write_text_file(scratch.path() / file,
                    std::string("id,arrival_ns,input_tokens,output_tokens\n") + row);
    RunPlan plan = a_plan();
    plan.trace = (scratch.path() / file).string();
    plan.seed = seed;
    return name_of(plan);
  };
  const std::string first = named("a.csv", "a,0,9,5\n", 1);
  EXPECT_EQ(named("b.csv", "a,0,9,5\n", 1), first);
  EXPECT_NE(named("a.csv", "a,0,9,6\n", 1), first);
  EXPECT_NE(named("a.csv", "a,0,9,5\n", 2), first);
}

// Would catch: a cost file that is known by its path alone, or by its path at all.
TEST(CellName, KnowsACostFileByItsContent) {
  const made_up::ScratchFolder scratch;
  const auto named = [&](const char* file, const char* text) {
    write_text_file(scratch.path() / file, text);
    RunPlan plan = a_plan();
    plan.settings = {{"cost", (scratch.path() / file).string(), ""}, {"kv-blocks", "500", ""}};
    return name_of(plan);
  };
  const std::string first = named("a.json", R"({"kind":"linear","iteration_s":0.001})");
  EXPECT_EQ(named("b.json", R"({"kind":"linear","iteration_s":0.001})"), first);
  EXPECT_NE(named("a.json", R"({"kind":"linear","iteration_s":0.002})"), first);
}

// Would catch: digests that miss a byte, a file's name, or where one file ends and the next begins.
TEST(FileDigest, TellsFilesApart) {
  const made_up::ScratchFolder scratch;
  const auto tree = [&](const std::vector<std::pair<std::string, std::string>>& files) {
    std::filesystem::remove_all(scratch.path() / "t");
    std::filesystem::create_directory(scratch.path() / "t");
    for (const auto& [name, text] : files) write_text_file(scratch.path() / "t" / name, text);
    return tree_digest(scratch.path() / "t");
  };
  const std::set<std::string> digests = {tree({{"a", "xy"}, {"b", ""}}),
                                         tree({{"a", "x"}, {"b", "y"}}), tree({{"a", "xy"}}),
                                         tree({{"c", "xy"}})};
  EXPECT_EQ(digests.size(), 4U);
  EXPECT_THROW(file_digest(scratch.path() / "none"), std::exception);
  const std::string large(3 << 20, 'x');
  write_text_file(scratch.path() / "large", large);
  const std::string digest = file_digest(scratch.path() / "large");
  write_text_file(scratch.path() / "large", large + "x");
  EXPECT_NE(file_digest(scratch.path() / "large"), digest);
}

// Would catch: traces that are made anew for each cell, that are never let go, or that change when
// they are made again.
TEST(SharedTraces, KeepsSomeAndMakesTheRestAgain) {
  const RunPlan plan = a_plan();
  const Settings settings;
  SharedTraces traces(45);  // two of twenty requests
  const SharedTrace first = traces.of(plan, settings, 1);
  EXPECT_EQ(traces.of(plan, settings, 1).trace, first.trace);
  EXPECT_NE(traces.of(plan, settings, 2).digest, first.digest);
  const std::string digest = first.digest;
  EXPECT_EQ(traces.of(plan, settings, 3).trace.use_count(), 2) << "held here and there";
  const SharedTrace again = traces.of(plan, settings, 1);
  EXPECT_NE(again.trace, first.trace) << "the oldest was let go";
  EXPECT_EQ(again.digest, digest);
  EXPECT_EQ(requests_digest(*again.trace), digest);
}

// Would catch: work that is left out or done twice, more threads than were asked for, a failure
// that is lost, and work that is begun after it.
TEST(Parallel, DoesEachOnceAndTellsTheFirstFailure) {
  for (const std::size_t jobs : {1, 3, 50}) {
    std::vector<std::atomic<int>> done(20);
    std::atomic<std::size_t> now{0}, most{0};
    for_each_in_parallel(done.size(), jobs, [&](std::size_t i) {
      const std::size_t running = ++now;
      for (std::size_t seen = most; seen < running && !most.compare_exchange_weak(seen, running);) {
      }
      ++done[i];
      --now;
    });
    for (const auto& count : done) EXPECT_EQ(count, 1);
    EXPECT_LE(most, jobs);
  }
  std::atomic<int> begun{0};
  try {
    for_each_in_parallel(1000, 1, [&](std::size_t i) {
      ++begun;
      if (i >= 5) throw std::runtime_error(std::to_string(i));
    });
    FAIL() << "the failure is lost";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "5");
  }
  EXPECT_EQ(begun, 6);
  EXPECT_THROW(for_each_in_parallel(8, 4, [](std::size_t) { throw std::runtime_error("all"); }),
               std::runtime_error);
}

// Would catch: a wrong share or time left, a line at every request, and one that stays behind.
TEST(SweepProgress, TellsCellsAndTimeLeft) {
  Duration now{0};
  std::ostringstream out;
  {
    SweepProgress progress(
        40, 8000, [&] { return now; }, out);
    progress.add_requests(1000);
    EXPECT_EQ(out.str(), "") << "too early to tell";
    now = made_up::ms(10'000);
    progress.add_requests(1000);
    progress.add_cell();
    EXPECT_EQ(out.str(), "\r\033[K0 of 40 cells (25 %), 30 s left; 200 requests/s");
    now = made_up::ms(10'300);
    progress.add_cell();
    EXPECT_THAT(out.str(), testing::HasSubstr("2 of 40 cells (25 %), 31 s left"));
    out.str("");
    CellTicks ticks(progress);
    now = made_up::ms(20'000);
    for (std::uint32_t i = 0; i < 64; ++i) ticks.ended(made_up::finished(i, 0, 1, 1, 1, 1));
    EXPECT_THAT(out.str(), testing::HasSubstr("(25 %), "));
    out.str("");
  }
  EXPECT_EQ(out.str(), "\r\033[K");
}

}  // namespace
}  // namespace tokenyard
