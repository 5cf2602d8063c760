#include <gtest/gtest.h>
//
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <limits>

#include "experiments/statistics/distribution.hpp"
#include "experiments/statistics/interval.hpp"
#include "experiments/statistics/radix_sort.hpp"
#include "experiments/statistics/value_counts.hpp"
#include "sim/kernel/rng.hpp"

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

// Would catch: counts or values that do not fit eight bytes cut or counted twice: over a million
// samples of one value in any pieces, negative values, the ends of the range.
TEST(ValueCounts, HoldsWhatDoesNotFitAWord) {
  constexpr std::int64_t kMillion = 1'000'000;
  constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  ValueCounts counts;
  for (std::int64_t i = 0; i < 3 * kMillion; ++i) counts.add(7, 1);
  counts.add(7, 5 * kMillion);
  for (int i = 0; i < 9'000; ++i) counts.add(8, 999);
  for (const std::int64_t value : {kMost, kLeast, std::int64_t{-1}, std::int64_t{1} << 44U}) {
    counts.add(value, 2);
  }
  counts.add(9, 0);
  counts.add(9, -1);
  const std::vector<ValueCounts::Entry> expected = {
      {kLeast, 2}, {-1, 2}, {7, 8 * kMillion}, {8, 8'991'000}, {std::int64_t{1} << 44U, 2},
      {kMost, 2}};
  EXPECT_EQ(counts.sorted(), expected);
  EXPECT_EQ(counts.total(), 8 * kMillion + 8'991'000 + 8);
}

// Would catch: a digit left out, words of equal digits that change places, and a wrong lowest bit.
RC_GTEST_PROP(RadixSort, EqualsAStableSort, ()) {
  const auto size = *rc::gen::inRange<std::size_t>(0, 3000);
  const auto low_bit = *rc::gen::inRange(0, 40);
  const auto mask = *rc::gen::arbitrary<std::uint64_t>();
  Rng rng(size);
  std::vector<std::uint64_t> words(size);
  for (auto& word : words) word = rng() & mask;
  std::vector<std::uint64_t> expected = words;
  std::stable_sort(expected.begin(), expected.end(),
                   [&](std::uint64_t a, std::uint64_t b) { return a >> low_bit < b >> low_bit; });
  std::vector<std::uint64_t> scratch;
  radix_sort(words, scratch, low_bit);
  RC_ASSERT(words == expected);
}

// Would catch: an order of the bits that is not that of the numbers: signs, infinities, zeros.
RC_GTEST_PROP(Distribution, OfPlainNumbersEqualsSorting, ()) {
  auto samples = *rc::gen::nonEmpty(rc::gen::container<std::vector<double>>(
      rc::gen::map(rc::gen::arbitrary<std::int32_t>(), [](std::int32_t n) { return n / 16.0; })));
  const auto d = distribution_of(samples);
  std::sort(samples.begin(), samples.end());
  double sum = 0;
  for (const double sample : samples) sum += sample;
  const auto count = static_cast<std::int64_t>(samples.size());
  RC_ASSERT(d.mean == sum / static_cast<double>(count));
  RC_ASSERT(d.max == samples.back());
  for (const auto& [value, permille] : {std::pair{d.p50, 500}, {d.p90, 900}, {d.p99, 990}}) {
    RC_ASSERT(value == samples[static_cast<std::size_t>(nearest_rank(count, permille) - 1)]);
  }
}

// Would catch: a selection that disturbs the next one; ranks that coincide in a small sample too.
RC_GTEST_PROP(Distribution, OfNanosecondsEqualsSorting, ()) {
  auto samples = *rc::gen::nonEmpty(
      rc::gen::container<std::vector<std::int64_t>>(rc::gen::inRange<std::int64_t>(-50, 50)));
  const auto d = distribution_of_nanoseconds(samples);
  std::sort(samples.begin(), samples.end());
  const auto count = static_cast<std::int64_t>(samples.size());
  RC_ASSERT(d.max == static_cast<double>(samples.back()) / 1e9);
  for (const auto& [value, permille] :
       {std::pair{d.p50, 500}, {d.p90, 900}, {d.p95, 950}, {d.p99, 990}}) {
    const auto at = samples[static_cast<std::size_t>(nearest_rank(count, permille) - 1)];
    RC_ASSERT(value == static_cast<double>(at) / 1e9);
  }
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
