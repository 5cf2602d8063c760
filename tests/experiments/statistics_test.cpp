#include <gtest/gtest.h>
//
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "experiments/statistics/distribution.hpp"
#include "experiments/statistics/interval.hpp"
#include "experiments/statistics/value_counts.hpp"

namespace tokenyard {
namespace {

// Catches interpolation, and ranks off by one: 95 % of 20 samples is exactly the 19th.
TEST(Distribution, NearestRankIsAnObservedValueAtTheExactRank) {
  EXPECT_EQ(nearest_rank(1, 500), 1);
  EXPECT_EQ(nearest_rank(2, 500), 1);
  EXPECT_EQ(nearest_rank(3, 500), 2);
  EXPECT_EQ(nearest_rank(20, 950), 19);
  EXPECT_EQ(nearest_rank(21, 950), 20);
  EXPECT_EQ(nearest_rank(100, 990), 99);
  EXPECT_EQ(nearest_rank(101, 990), 100);
  EXPECT_EQ(nearest_rank(10, 0), 1);
  EXPECT_EQ(nearest_rank(10, 1000), 10);
}

// Catches a wrong unit, an unsorted input and a mean that loses nanoseconds.
TEST(Distribution, OfFiveDurationsByHand) {
  const auto d = distribution_of_nanoseconds(
      std::vector<std::int64_t>{5'000'000'000, 1'000'000'000, 2, 4'000'000'000, 3'000'000'000});
  EXPECT_DOUBLE_EQ(*d.mean, 13.000000002 / 5);
  EXPECT_EQ(*d.p50, 3.0);
  EXPECT_EQ(*d.p90, 5.0);
  EXPECT_EQ(*d.max, 5.0);
  EXPECT_EQ(*distribution_of({2.0, 1.0}).p50, 1.0);
}

// Catches NaN or zero where there is nothing to say.
TEST(Distribution, OfNothingIsEmpty) {
  const auto d = distribution_of_nanoseconds(std::vector<std::int64_t>{});
  EXPECT_FALSE(d.mean || d.p50 || d.p99 || d.max);
  EXPECT_FALSE(distribution_of({}).mean);
  EXPECT_FALSE(distribution_of_nanoseconds(ValueCounts{}).mean);
  EXPECT_FALSE(jain_fairness({}));
}

// Catches sums that overflow 64 bits: 40 samples of 10^18 ns.
TEST(Distribution, MeanOfVeryLongDurationsDoesNotOverflow) {
  const auto d =
      distribution_of_nanoseconds(std::vector<std::int64_t>(40, 1'000'000'000'000'000'000));
  EXPECT_EQ(*d.mean, 1e9);
}

// Catches counts lost or doubled while compacting: the counted form must equal the plain one.
RC_GTEST_PROP(ValueCounts, EqualsThePlainSamples, ()) {
  const auto distinct = *rc::gen::inRange<std::int64_t>(1, 6000);
  const auto size = *rc::gen::inRange(1, 20000);
  ValueCounts counts;
  std::vector<std::int64_t> plain;
  std::uint64_t state = static_cast<std::uint64_t>(size);
  for (int i = 0; i < size; ++i) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    const auto value =
        static_cast<std::int64_t>((state >> 33) % static_cast<std::uint64_t>(distinct));
    const std::int64_t times = 1 + i % 3;
    counts.add(value, times);
    plain.insert(plain.end(), static_cast<std::size_t>(times), value);
  }
  RC_ASSERT(counts.total() == static_cast<std::int64_t>(plain.size()));
  const auto a = distribution_of_nanoseconds(counts);
  const auto b = distribution_of_nanoseconds(plain);
  RC_ASSERT(a.mean == b.mean && a.p50 == b.p50 && a.p90 == b.p90);
  RC_ASSERT(a.p95 == b.p95 && a.p99 == b.p99 && a.max == b.max);
  std::sort(plain.begin(), plain.end());
  plain.erase(std::unique(plain.begin(), plain.end()), plain.end());
  RC_ASSERT(counts.sorted().size() == plain.size());
}

// Catches a wrong index: by hand (1+1+4)^2 / (3 (1+1+16)) = 36/54.
TEST(Jain, ByHand) {
  EXPECT_DOUBLE_EQ(*jain_fairness({1, 1, 4}), 36.0 / 54);
  EXPECT_DOUBLE_EQ(*jain_fairness({7, 7, 7, 7}), 1);
}

// Catches a normal instead of a t quantile, and n instead of n - 1. Samples 1, 2, 3: s = 1,
// t(2, 0.975) = 4.302653 (tables), half-width 4.302653 / sqrt(3) = 2.484138.
TEST(Interval, OfThreeSeedsByHand) {
  const double samples[] = {1, 2, 3};
  const auto interval = t_interval_95(samples);
  EXPECT_DOUBLE_EQ(*interval.mean, 2);
  EXPECT_NEAR(*interval.half_width, 2.484138, 1e-6);
  EXPECT_FALSE(t_interval_95(std::span(samples, 1)).half_width);
  EXPECT_FALSE(t_interval_95({}).mean);
}

}  // namespace
}  // namespace tokenyard
