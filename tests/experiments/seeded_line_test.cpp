#include "experiments/study/seeded_line.hpp"

#include <gtest/gtest.h>

#include "experiments/statistics/jackknife.hpp"

namespace tokenyard {
namespace {

// Would catch: a crossing that is not interpolated, that is a later one, or that is made up where a
// line begins above the bound or stays below it.
TEST(SeededLine, CrossesWhereItFirstRisesThroughTheBound) {
  const std::vector<LinePoint> points = {{1, 0.1, {}}, {2, 0.5, {}}, {3, 0.2, {}}, {4, 0.9, {}}};
  EXPECT_DOUBLE_EQ(first_crossing(points, 0.3).value(), 1.5);
  EXPECT_DOUBLE_EQ(first_crossing(points, 0.5).value(), 2);
  EXPECT_FALSE(first_crossing(points, 0.1));
  EXPECT_FALSE(first_crossing(points, 1));
  EXPECT_FALSE(first_crossing({}, 1));
}

// Would catch: the published rates of FastServe's figure 11 read off in another way than the facts
// about it were: linearly between the neighbours of 0.3 s/token.
TEST(SeededLine, ReadsPublishedCurvesAsPapersDo) {
  const std::vector<LinePoint> fcfs = {{2.25, .130, {}}, {2.5, .403, {}}};
  const std::vector<LinePoint> fastserve = {{4.5, .187, {}}, {5, .331, {}}};
  EXPECT_NEAR(first_crossing(fcfs, 0.3).value(), 2.41, 0.005);
  EXPECT_NEAR(first_crossing(fastserve, 0.3).value(), 4.89, 0.005);
}

// Would catch: an interval that is not that of the mean where the statistic is the mean (there the
// jackknife is Student's interval exactly).
TEST(Jackknife, IsStudentsIntervalForMeans) {
  const std::vector<double> samples = {3, 1, 4, 1, 5};
  const Interval expected = t_interval_95(samples);
  const Interval found = jackknife_95(samples.size(), [&](std::optional<std::size_t> without) {
    double sum = 0;
    for (std::size_t i = 0; i < samples.size(); ++i) sum += i == without ? 0 : samples[i];
    return std::optional(sum / (without ? 4.0 : 5.0));
  });
  EXPECT_DOUBLE_EQ(found.mean.value(), expected.mean.value());
  EXPECT_NEAR(found.half_width.value(), expected.half_width.value(), 1e-12);
}

// Would catch: an interval where the statistic lacks without one sample, or of a single one.
TEST(Jackknife, HasNoIntervalWhereItCannotLeaveOneOut) {
  const auto lacks = [](std::optional<std::size_t> without) -> std::optional<double> {
    if (without == 1U) return std::nullopt;
    return 2;
  };
  EXPECT_EQ(jackknife_95(3, lacks).mean, 2);
  EXPECT_FALSE(jackknife_95(3, lacks).half_width);
  EXPECT_FALSE(jackknife_95(1, lacks).half_width);
}

// Would catch: ratios that do not pair seeds: each seed shifts both lines alike, so their ratio
// hardly varies although each crossing does.
TEST(SeededLine, RatiosPairTheirSeeds) {
  SeededLine slow{"slow", {}}, fast{"fast", {}};
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    const double pace = 1 + 0.1 * static_cast<double>(seed);
    for (const double x : {1.0, 2.0, 3.0, 4.0, 5.0}) {
      slow.values[x][seed] = x * pace;
      fast.values[x][seed] = x * pace / 2;
    }
  }
  const Interval ratio = crossing_ratio(fast, slow, 3);
  EXPECT_NEAR(ratio.mean.value(), 2, 1e-9);
  EXPECT_LT(ratio.half_width.value(), 1e-6);
  EXPECT_GT(crossing(slow, 3).half_width.value(), 0.05);
}

}  // namespace
}  // namespace tokenyard
