// vLLM (Kwon et al., SOSP 2023): what paging and sharing save, and what that carries.

#include <gtest/gtest.h>

#include "tests/paper/paper_runs.hpp"

namespace tokenyard::paper {
namespace {

constexpr const char* kMean = "mean_normalized_latency_s";
constexpr double kBound = 0.3;  // s/token

// Would catch: pages that waste more than half a block a request, or reservations that waste less
// than they must: the order and size of figure 2 (published: 79.6, 73.2, 61.8 and 3.7 %, with what
// a buddy allocator loses).
TEST(VllmPaper, PagingWastesLessThanFourPercent) {
  const Load load{2, 500};
  const auto waste = [&](const std::string& system) {
    return mean_of(runs_of(system, true, load, {.seeds = 4}), "kv_waste_mean");
  };
  const double paged = waste("vllm"), exact = waste("orca-oracle"), pow2 = waste("orca-pow2"),
               whole = waste("orca");
  EXPECT_LT(paged, 0.04);
  EXPECT_GT(exact, 0.3);
  EXPECT_GT(pow2, exact);
  EXPECT_GT(whole, pow2);
  EXPECT_GT(whole, 0.7);
}

// Would catch: a system of another rank, or vLLM beyond 2 to 4 times the rate of Orca, which
// reserves the whole context, at equal latency.
TEST(VllmPaper, PagingCarriesTwoToFourTimesTheRateOfOrca) {
  const RunSetup setup{.seeds = 6};
  const auto rate = [&](const std::string& system, const std::vector<Load>& loads) {
    return line_of(system, true, loads, setup, kMean);
  };
  const SeededLine vllm = rate("vllm", {{2, 7200}, {2.25, 8100}, {2.5, 9000}});
  const SeededLine oracle = rate("orca-oracle", {{1.5, 5400}, {1.75, 6300}, {2, 7200}});
  const SeededLine pow2 = rate("orca-pow2", {{1.25, 4500}, {1.5, 5400}});
  const SeededLine whole = rate("orca", {{0.5, 1800}, {0.75, 2700}, {1, 3600}});
  const SeededLine padded = rate("faster-transformer", {{0.1, 360}, {0.25, 900}, {0.4, 1440}});
  const double gain = crossing_ratio(vllm, whole, kBound).mean.value();
  EXPECT_GE(gain, 2);
  EXPECT_LE(gain, 4);
  EXPECT_GT(crossing_ratio(vllm, oracle, kBound).mean.value(), 1.2);
  EXPECT_GT(crossing_ratio(oracle, pow2, kBound).mean.value(), 1);
  EXPECT_GT(crossing_ratio(pow2, whole, kBound).mean.value(), 1);
  EXPECT_GT(crossing_ratio(whole, padded, kBound).mean.value(), 2);
}

// Would catch: blocks that samples or beams share and that are counted otherwise (published,
// Alpaca: 6.1, 8.5 and 9.8 % for 2, 4 and 6 samples; 37.6 to 55.2 % for beams, of which ours share
// more).
TEST(VllmPaper, SharingSavesAsMuchMemory) {
  const auto saved = [](const std::string& extra) {
    const RunSetup setup{.lengths = "alpaca-like", .seeds = 4, .extra = extra};
    return mean_of(runs_of("vllm", true, {4, 500}, setup), "kv_saved_mean");
  };
  EXPECT_NEAR(saved(R"(,"n":"2")"), 0.061, 0.02);
  EXPECT_NEAR(saved(R"(,"n":"6")"), 0.098, 0.02);
  EXPECT_NEAR(saved(R"(,"beam_width":"2")"), 0.376, 0.06);
  const double wide = saved(R"(,"beam_width":"6")");
  EXPECT_GT(wide, 0.55);
  EXPECT_LT(wide, 0.75);
}

}  // namespace
}  // namespace tokenyard::paper
