#include "engine/sampling/token_distribution.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "sim/kernel/rng.hpp"
#include "tests/engine/random_logits.hpp"

namespace tokenyard {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// What the filters are to give, by sorting, in f64: probabilities, 0 where a token is out.
std::vector<double> reference(const std::vector<float>& logits, const Filters& filters) {
  std::vector<std::size_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return logits[a] > logits[b]; });
  const double most = static_cast<double>(logits[order[0]]);
  std::vector<double> weights;
  for (const std::size_t token : order) {
    weights.push_back(std::exp((static_cast<double>(logits[token]) - most) / filters.temperature));
    if (weights.back() < filters.min_p) weights.back() = 0.0;
  }
  if (filters.top_k > 0 && static_cast<std::size_t>(filters.top_k) < weights.size()) {
    std::fill(weights.begin() + filters.top_k, weights.end(), 0.0);
  }
  const double left = std::accumulate(weights.begin(), weights.end(), 0.0);
  double reached = 0.0;
  for (double& weight : weights) {
    const bool enough = reached >= filters.top_p * left;
    reached += weight;
    if (enough && filters.top_p < 1.0) weight = 0.0;
  }
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  std::vector<double> probabilities(logits.size());
  for (std::size_t i = 0; i < order.size(); ++i) probabilities[order[i]] = weights[i] / total;
  return probabilities;
}

void expect_like_reference(const std::vector<float>& logits, const Filters& filters) {
  SCOPED_TRACE(testing::Message() << logits.size() << " logits, temperature " << filters.temperature
                                  << ", top_k " << filters.top_k << ", top_p " << filters.top_p
                                  << ", min_p " << filters.min_p);
  LogitRow row;
  ASSERT_EQ(row.read(logits), RowStatus::good);
  TokenDistribution distribution;
  distribution.set(row, filters);
  const auto expected = reference(logits, filters);
  for (std::size_t token = 0; token < logits.size(); ++token) {
    const double found = distribution.probability(static_cast<Token>(token));
    // Below e^-87 of the greatest a weight is 0.
    ASSERT_TRUE(expected[token] > 0.0 || found == 0.0) << token;
    ASSERT_TRUE(expected[token] < 1e-37 || found > 0.0) << token;
    ASSERT_NEAR(found, expected[token], 2e-5 * expected[token] + 1e-37) << token;
  }
}

// Would catch: a filter that keeps one token too many or too few, in peaked and flat rows, alone
// and together; filters in another order; probabilities of a wrong temperature.
TEST(TokenDistribution, KeepsWhatSortingKeeps) {
  for (const std::size_t size : {1, 7, 64, 500, 5003}) {
    for (const double deviation : {0.0, 0.05, 1.0, 4.0, 30.0}) {
      const auto logits = test::random_logits(size, static_cast<std::size_t>(size), deviation);
      for (const double temperature : {0.01, 0.7, 2.0}) {
        for (const std::int32_t top_k : {0, 1, 50, 900, 6000}) {
          for (const double top_p : {1.0, 0.999, 0.9, 0.31}) {
            for (const double min_p : {0.0, 0.02}) {
              expect_like_reference(logits, {temperature, top_k, top_p, min_p});
            }
          }
        }
      }
    }
  }
}

// Would catch: ties at a bound that do not go to the lower ids.
TEST(TokenDistribution, CutsTiesById) {
  for (const double grain : {0.25, 1.0, 3.0}) {
    const auto logits = test::random_logits(3, 1000, 1.0, grain);
    for (const std::int32_t top_k : {1, 2, 30, 63, 64, 65, 300}) {
      expect_like_reference(logits, {1.0, top_k, 1.0, 0.0});
    }
    expect_like_reference(logits, {1.0, 0, 0.61803, 0.0});
  }
  const std::vector<float> equal(1000, 2.0F);
  LogitRow row;
  ASSERT_EQ(row.read(equal), RowStatus::good);
  TokenDistribution distribution;
  distribution.set(row, {1.0, 0, 0.25, 0.0});
  EXPECT_EQ(distribution.probability(249), 1.0 / 250);
  EXPECT_EQ(distribution.probability(250), 0.0);
  distribution.set(row, {1.0, 100, 1.0, 1.0});
  EXPECT_EQ(distribution.probability(99), 1.0 / 100);
  EXPECT_EQ(distribution.probability(100), 0.0);
}

// Would catch: no token left, or all, at the ends of the filters' ranges.
TEST(TokenDistribution, HasATokenAtTheEndsOfTheRanges) {
  const std::vector<float> logits = {0.0F, 2.0F, -kInfinity, 1.0F, 2.0F};
  LogitRow row;
  ASSERT_EQ(row.read(logits), RowStatus::good);
  TokenDistribution distribution;
  for (const Filters filters :
       {Filters{1.0, 1, 1.0, 0.0}, Filters{1.0, 0, 5e-324, 0.0}, Filters{1e-5, 1, 1e-9, 1.0}}) {
    distribution.set(row, filters);
    EXPECT_EQ(distribution.probability(1), 1.0);
  }
  distribution.set(row, {1.0, 0, 1.0, 1.0});
  EXPECT_EQ(distribution.probability(1), 0.5);
  EXPECT_EQ(distribution.probability(4), 0.5);
  distribution.set(row, {2.0, 2'000'000'000, std::nextafter(1.0, 0.0), 5e-324});
  EXPECT_GT(distribution.probability(0), 0.0);
  EXPECT_EQ(distribution.probability(2), 0.0);
}

// Would catch: numbers of the last row that stay in a sampler's memory.
TEST(TokenDistribution, ForgetsTheRowBefore) {
  TokenDistribution used;
  LogitRow row;
  const auto big = test::random_logits(1, 9000, 1.0);
  const auto small = test::random_logits(2, 70, 2.0);
  ASSERT_EQ(row.read(big), RowStatus::good);
  used.set(row, {1.0, 0, 0.9, 0.0});
  ASSERT_EQ(row.read(small), RowStatus::good);
  used.set(row, {1.0, 20, 0.9, 0.0});
  TokenDistribution fresh;
  fresh.set(row, {1.0, 20, 0.9, 0.0});
  for (Token token = 0; token < 70; ++token) {
    EXPECT_EQ(used.probability(token), fresh.probability(token));
  }
  for (double u = 0.0; u < 1.0; u += 0.01) EXPECT_EQ(used.draw(u), fresh.draw(u));
}

// Would catch: a draw that is not the inverse of the distribution function, in order of ids.
TEST(TokenDistribution, DrawsTheInverse) {
  const std::vector<float> logits = {std::log(0.1F), std::log(0.4F), -kInfinity, std::log(0.2F),
                                     std::log(0.3F)};
  LogitRow row;
  ASSERT_EQ(row.read(logits), RowStatus::good);
  TokenDistribution distribution;
  distribution.set(row, {});
  const std::vector<std::pair<double, Token>> cases = {
      {0.0, 0}, {0.0999, 0}, {0.1001, 1}, {0.4999, 1}, {0.5001, 3}, {0.6999, 3}, {0.7001, 4}};
  for (const auto& [u, token] : cases) EXPECT_EQ(distribution.draw(u), token) << u;
  EXPECT_EQ(distribution.draw(1.0 - 0x1p-53), 4);
}

// Would catch: a draw that ends behind the last token that may be drawn, or at one taken out, where
// rounding makes sums over blocks and over tokens differ.
TEST(TokenDistribution, NeverDrawsWhatIsOut) {
  TokenDistribution distribution;
  LogitRow row;
  Rng rng = named_stream(4, "draws");
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    auto logits = test::random_logits(seed, 333, 3.0);
    for (std::size_t i = 250; i < logits.size(); ++i) logits[i] = -kInfinity;
    ASSERT_EQ(row.read(logits), RowStatus::good);
    distribution.set(row, {1.0, 0, seed % 2 == 0 ? 1.0 : 0.8, 0.0});
    for (const double u : {0.0, 1.0 - 0x1p-53, 1.0, test::uniform(rng), test::uniform(rng)}) {
      EXPECT_GT(distribution.probability(distribution.draw(u)), 0.0) << u;
    }
  }
}

}  // namespace
}  // namespace tokenyard
