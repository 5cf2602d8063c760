// The engine under the simulated clock decides as the pure simulation does, to the last byte.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "experiments/run.hpp"
#include "tests/support/files.hpp"

namespace tokenyard {
namespace {

namespace fs = std::filesystem;

std::string contents(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

/// Without its last column.
std::string without_digest(const std::string& csv) {
  std::istringstream lines(csv);
  std::string all;
  for (std::string line; std::getline(lines, line);) all += line.substr(0, line.rfind(',')) + '\n';
  return all;
}

class Parity : public testing::Test {
 protected:
  void SetUp() override {
    cost_ = folder_.write("cost.json",
                          R"({"kind":"linear","iteration_s":0.01,"prefill_token_s":0.0001,)"
                          R"("decode_sequence_s":0.0005,"swap_block_s":0.001})");
  }

  /// Runs the plan and returns the folder of its results.
  fs::path results(const std::string& name, bool engine,
                   std::vector<std::pair<std::string, std::string>> more) {
    RunPlan plan;
    plan.trace = R"({"requests":60,"arrivals":"poisson:rate=20","lengths":"lognormal:prompt_mu=3,)"
                 R"(prompt_sigma=0.6,output_mu=3,output_sigma=0.6,max=100"})";
    plan.policies = {"fcfs", "mlfq", "skip-join-mlfq", "srpt"};
    plan.iterations = plan.timeline = plan.quiet = true;
    more.emplace_back("cost", cost_);
    if (engine) {
      more.emplace_back("executor", "engine");
      more.emplace_back("weights", "random:llama-tiny");
    } else {
      more.emplace_back("max-model-len", "512");
    }
    for (const auto& [key, value] : more) plan.settings.push_back({key, value, key});
    ResultFolder out(folder_.path(name));
    run(plan, &out);
    out.commit();
    return folder_.path(name);
  }

  void expect_equal(const std::vector<std::pair<std::string, std::string>>& settings) {
    const fs::path pure = results("pure", false, settings);
    const fs::path real = results("real", true, settings);
    EXPECT_EQ(contents(pure / "summary.csv"), contents(real / "summary.csv"));
    for (const char* policy : {"fcfs", "mlfq", "skip-join-mlfq", "srpt"}) {
      for (const char* file : {"iterations.csv", "timeline.json"}) {
        EXPECT_EQ(contents(pure / policy / file), contents(real / policy / file)) << policy;
      }
      const std::string rows = contents(real / policy / "requests.csv");
      EXPECT_EQ(contents(pure / policy / "requests.csv"), without_digest(rows)) << policy;
      EXPECT_EQ(rows.find(",\n"), std::string::npos) << "a request without a digest";
    }
  }

  test::TemporaryFolder folder_;
  std::string cost_;
};

// Would catch: an engine that ends an iteration, a sequence or a copy elsewhere than costs and
// truth say.
TEST_F(Parity, HoldsWithSwapping) {
  expect_equal({{"kv-blocks", "40"},
                {"host-blocks", "200"},
                {"evict", "swap"},
                {"proactive-swap", "true"},
                {"block-size", "8"},
                {"max-num-seqs", "16"},
                {"chunked-prefill", "16"}});
}

// Would catch: the same where KV is computed again, and in batches that stay together.
TEST_F(Parity, HoldsWithRecomputationAndStaticBatches) {
  expect_equal({{"kv-blocks", "40"}, {"block-size", "8"}, {"max-num-seqs", "16"}});
  expect_equal({{"kv-blocks", "90"}, {"static-batching", "true"}, {"max-num-seqs", "8"}});
}

}  // namespace
}  // namespace tokenyard
