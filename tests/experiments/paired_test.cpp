#include "experiments/statistics/paired.hpp"

#include <gtest/gtest.h>

#include <array>
#include <boost/random/normal_distribution.hpp>
#include <cmath>
#include <vector>

#include "experiments/statistics/block_bootstrap.hpp"
#include "sim/kernel/rng.hpp"

namespace tokenyard {
namespace {

// Would catch: a wrong quantile, or a spread taken over single values instead of differences.
TEST(PairedChange, IsStudentsIntervalOfTheDifferences) {
  const std::vector<double> base{10, 20, 30}, candidate{11, 20, 32};
  const auto change = paired_change(base, candidate);
  ASSERT_TRUE(change);
  // Differences 1, 0, 2: mean 1, standard deviation 1; t(2, 0.975) = 4.302653.
  EXPECT_NEAR(change->change, 1.0 / 20, 1e-12);
  EXPECT_NEAR(change->half_width(), 4.302652729696142 / std::sqrt(3.0) / 20, 1e-9);
  EXPECT_NEAR(change->p_value, 0.2254033307585166, 1e-12);
}

// Would catch: an interval out of one pair, or a division by a base of 0.
TEST(PairedChange, SaysNothingWhereThereIsNothingToSay) {
  EXPECT_FALSE(paired_change(std::vector{1.0}, std::vector{2.0}));
  EXPECT_FALSE(paired_change(std::vector{0.0, 0.0}, std::vector{1.0, 2.0}));
}

// Would catch: a number of pairs that does not grow with the square of the precision asked for, or
// that tells in half of the cases only, as one would that narrows the interval to the distance.
TEST(PairsNeeded, GrowWithTheSquareOfThePrecision) {
  const RelativeChange change{
      .change = 0.01, .low = -0.01, .high = 0.03, .p_value = 1, .pairs = 10};
  // t(9, 0.975) = 2.262157, t(9, 0.9) = 1.383029: 10 (2 x 3.645186 / 2.262157)^2 = 103.86.
  EXPECT_EQ(pairs_needed(change, 0.02), 104);
  EXPECT_EQ(pairs_needed(change, 0.015), 416);
  EXPECT_EQ(pairs_needed(change, 1), 2);
  // A change of 5 % is looked for even where the pilot saw one far on the other side.
  EXPECT_EQ(pairs_needed(change, -0.04), 104);
}

// Would catch: Bonferroni's correction instead, or p-values out of order.
TEST(Holm, StepsDown) {
  std::array<double, 4> p{0.01, 0.04, 0.03, 0.005};
  adjust_by_holm(p);
  EXPECT_NEAR(p[3], 0.02, 1e-12);
  EXPECT_NEAR(p[0], 0.03, 1e-12);
  EXPECT_NEAR(p[2], 0.06, 1e-12);
  EXPECT_NEAR(p[1], 0.06, 1e-12);
}

/// Latencies that hang together: an autoregressive series, ten requests a second.
std::vector<PairedSample> correlated(std::uint64_t seed, double factor, std::size_t count) {
  Rng rng = named_stream(seed, "correlated");
  boost::random::normal_distribution<double> normal;
  std::vector<PairedSample> samples;
  double level = 0;
  for (std::size_t i = 0; i < count; ++i) {
    level = 0.9 * level + normal(rng);
    const double base = 20 + level;
    const double own = 0.5 * normal(rng);
    samples.push_back({0.1 * static_cast<double>(i), base, factor * base + own});
  }
  return samples;
}

// Would catch: an interval that misses the truth more often than it says; one drawn request by
// request, which would be far too narrow for neighbours that go together.
TEST(BlockBootstrap, CoversTheTrueChange) {
  int covered = 0;
  constexpr int kCases = 100;
  for (int i = 0; i < kCases; ++i) {
    const auto samples = correlated(static_cast<std::uint64_t>(i), 1.1, 2000);
    const auto change = block_bootstrap_change(samples, mean_statistic(), 3);
    ASSERT_TRUE(change);
    covered += change->low <= 0.1 && 0.1 <= change->high ? 1 : 0;
  }
  EXPECT_GE(covered, 88);  // of 95 expected, four standard deviations
  EXPECT_LE(covered, 100);
}

// Would catch: windows that differ between the two runs.
TEST(BlockBootstrap, SeesThatNothingChanged) {
  auto samples = correlated(1, 1, 500);
  for (PairedSample& sample : samples) sample.candidate = sample.base;
  const auto change = block_bootstrap_change(samples, quantile_statistic(0.99), 3);
  ASSERT_TRUE(change);
  EXPECT_EQ(change->low, 0);
  EXPECT_EQ(change->high, 0);
  EXPECT_EQ(change->p_value, 1);
  EXPECT_FALSE(block_bootstrap_change(std::span(samples).first(39), mean_statistic(), 3));
}

}  // namespace
}  // namespace tokenyard
