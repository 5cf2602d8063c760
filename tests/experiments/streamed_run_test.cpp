#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "experiments/run.hpp"
#include "sim/kernel/rng.hpp"
#include "tests/experiments/made_up.hpp"

namespace tokenyard {
namespace {

namespace fs = std::filesystem;

/// Every file below a folder, by its path inside it.
std::map<std::string, std::string> files_in(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    files[fs::relative(entry.path(), folder).string()] = made_up::contents(entry.path());
  }
  return files;
}

/// 9,000 short requests over three blocks of a stream, with times that go back now and then by up
/// to so much; some are impatient, some far too long.
void write_trace_file(const fs::path& file, std::uint64_t back) {
  std::ofstream out(file);
  out << "id,arrival_ns,input_tokens,output_tokens,tenant,cancel_after_ns,n\n";
  Rng rng(1);
  std::uint64_t arrival = back;
  for (int i = 0; i < 9'000; ++i) {
    arrival += rng() % 4'000'000;
    out << "r" << i << ',' << arrival - (back > 0 ? rng() % back : 0) << ','
        << (i % 1000 == 7 ? 90'000 : 1 + rng() % 40) << ',' << rng() % 9 << ','
        << (rng() % 3 == 0 ? "x" : "") << ',' << (rng() % 5 == 0 ? "3000000" : "") << ','
        << (rng() % 7 == 0 ? "2" : "") << '\n';
  }
}

/// Under policies that let requests wait over many blocks.
void expect_same_bytes(std::uint64_t back, const std::string& rate) {
  const made_up::ScratchFolder scratch;
  const fs::path trace = scratch.path() / "t.csv";
  write_trace_file(trace, back);
  RunPlan plan;
  plan.trace = trace.string();
  plan.policies = {"fcfs", "srpt"};
  plan.iterations = plan.timeline = plan.quiet = true;
  for (const auto& [name, value] : std::map<std::string, std::string>{
           {"model", "opt-13b"}, {"device", "a100-40g"}, {"max-num-seqs", "8"}, {"warmup", "2"}}) {
    plan.settings.push_back({name, value, name});
  }
  if (!rate.empty()) plan.settings.push_back({"request-rate", rate, ""});
  const auto results = [&](std::uintmax_t stream_bytes) {
    plan.stream_bytes = stream_bytes;
    const fs::path place = scratch.path() / "out";
    ResultFolder folder(place);
    run(plan, &folder);
    folder.commit();
    return files_in(place);
  };
  const auto in_memory = results(std::uintmax_t{1} << 40U);
  EXPECT_EQ(in_memory.size(), 8U);
  EXPECT_EQ(results(0), in_memory);
}

// Would catch: any byte of the results that depends on whether a trace is kept in memory or read
// along, sorted or not, at its own or another rate; and lengths or labels asked for after their
// block is gone.
TEST(StreamedRun, WritesTheSameBytes) {
  expect_same_bytes(0, "");
  expect_same_bytes(400'000'000, "");
  expect_same_bytes(400'000'000, "300");
}

}  // namespace
}  // namespace tokenyard
