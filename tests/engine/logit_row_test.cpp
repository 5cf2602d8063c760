#include "engine/sampling/logit_row.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "engine/sampling/float_lanes.hpp"
#include "sim/kernel/invariant.hpp"
#include "tests/engine/random_logits.hpp"

namespace tokenyard {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
/// Around one block, one of its steps, and several.
const std::vector<std::size_t> kSizes = {1, 2, 15, 16, 63, 64, 65, 127, 128, 1000, 5003};

std::vector<Token> sorted_tokens(const std::vector<float>& logits) {
  std::vector<Token> tokens(logits.size());
  std::iota(tokens.begin(), tokens.end(), 0);
  std::stable_sort(tokens.begin(), tokens.end(), [&](Token a, Token b) {
    return logits[static_cast<std::size_t>(a)] > logits[static_cast<std::size_t>(b)];
  });
  return tokens;
}

// Would catch: a place in a block that is not looked at, or the end of a row that fills no block.
TEST(LogitRow, FindsTheGreatestWhereverItStands) {
  LogitRow row;
  for (const std::size_t size : kSizes) {
    for (std::size_t at = 0; at<size; at += size> 200 ? 37 : 1) {
      std::vector<float> logits(size, -3.0F);
      logits[at] = -2.0F;
      ASSERT_EQ(row.read(logits), RowStatus::good);
      EXPECT_EQ(row.argmax(), static_cast<Token>(at)) << "of " << size;
      EXPECT_EQ(row.most(), -2.0F);
    }
  }
}

// Would catch: ties that go to a later block, a later lane, or to the zero without a sign.
TEST(LogitRow, GivesTiesToTheLowestId) {
  LogitRow row;
  for (const std::size_t size : kSizes) {
    std::vector<float> logits(size, 1.0F);
    ASSERT_EQ(row.read(logits), RowStatus::good);
    EXPECT_EQ(row.argmax(), 0);
  }
  std::vector<float> zeros(100, -1.0F);
  zeros[70] = -0.0F;
  zeros[90] = 0.0F;
  ASSERT_EQ(row.read(zeros), RowStatus::good);
  EXPECT_EQ(row.argmax(), 70);
}

// Would catch: a NaN that a maximum passes over, at any place; infinities mistaken for one another.
TEST(LogitRow, RefusesRowsWithoutProbabilities) {
  LogitRow row;
  for (const std::size_t size : {1, 5, 64, 130}) {
    for (std::size_t at = 0; at < static_cast<std::size_t>(size); ++at) {
      std::vector<float> logits(static_cast<std::size_t>(size), 1.0F);
      logits[at] = kNan;
      EXPECT_EQ(row.read(logits), RowStatus::not_a_number) << at;
      logits[at] = kInfinity;
      EXPECT_EQ(row.read(logits), RowStatus::not_a_number) << at;
      logits[at] = -kInfinity;
      EXPECT_EQ(row.read(logits), size == 1 ? RowStatus::all_masked : RowStatus::good) << at;
    }
  }
  EXPECT_EQ(row.read(std::vector<float>(200, -kInfinity)), RowStatus::all_masked);
  EXPECT_THROW(row.read({}), InvariantBroken);
}

// Would catch: a token missed by the selection over blocks or over groups of eight, wrong order,
// and ties that are not by id; all counts from 1 to more than there are.
TEST(LogitRow, FindsTheFirstTokensInOrder) {
  LogitRow row;
  for (const std::size_t size : kSizes) {
    for (const double grain : {0.0, 0.5, 100.0}) {
      const auto logits = test::random_logits(size, size, 2.0, grain);
      const auto sorted = sorted_tokens(logits);
      ASSERT_EQ(row.read(logits), RowStatus::good);
      for (std::size_t count = 1; count <= size + 3; count += 1 + count / 7) {
        const auto top = row.top(count);
        ASSERT_EQ(top.size(), std::min(count, size));
        for (std::size_t i = 0; i < top.size(); ++i) {
          ASSERT_EQ(top[i].token, sorted[i]) << i << " of " << count << " of " << size;
          ASSERT_EQ(top[i].logit, logits[static_cast<std::size_t>(sorted[i])]);
        }
        const Cut cut = row.cut_after(count);
        for (std::size_t i = 0; i < size; ++i) {
          const auto token = static_cast<std::size_t>(sorted[i]);
          ASSERT_EQ(cut.keeps(logits[token], token), i < count);
        }
      }
    }
  }
  EXPECT_TRUE(row.top(0).empty());
}

// Would catch: masked tokens that spoil the selection when fewer are left than are asked for.
TEST(LogitRow, FindsTheFirstTokensAmongMaskedOnes) {
  std::vector<float> logits(640, -kInfinity);
  logits[300] = 1.0F;
  logits[5] = 0.5F;
  LogitRow row;
  ASSERT_EQ(row.read(logits), RowStatus::good);
  const auto top = row.top(4);
  ASSERT_EQ(top.size(), 4U);
  EXPECT_EQ(top[0].token, 300);
  EXPECT_EQ(top[1].token, 5);
  EXPECT_EQ(top[2].logit, -kInfinity);
}

// Would catch: a sum that overflows, leaves out the row's end or counts the filling of its last
// block.
TEST(LogitRow, SumsExponentials) {
  LogitRow row;
  for (const std::size_t size : kSizes) {
    for (const float shift : {0.0F, 3000.0F, -3000.0F}) {
      auto logits = test::random_logits(size, size, 3.0);
      for (float& logit : logits) logit += shift;
      double expected = 0.0;
      for (const float logit : logits) expected += std::exp(static_cast<double>(logit - shift));
      ASSERT_EQ(row.read(logits), RowStatus::good);
      EXPECT_NEAR(row.log_sum_exp(), std::log(expected) + static_cast<double>(shift), 1e-6);
    }
  }
}

// Would catch: a wrong coefficient, a wrong power of two, or a floor that does not give 0.
TEST(FloatLanes, ExponentialIsAsExactAsFloatsAre) {
  for (float x = 0.0F; x > -87.0F; x -= 0.0137F) {
    const double expected = std::exp(static_cast<double>(x));
    const float found = lanes::exp_of_negative(lanes::all(x))[2];
    ASSERT_NEAR(found / expected, 1.0, 1.2e-7) << x;
  }
  for (const float x : {-87.0F, -88.0F, -1e30F, -kInfinity}) {
    EXPECT_EQ(lanes::exp_of_negative(lanes::all(x))[0], 0.0F) << x;
  }
  EXPECT_EQ(lanes::exp_of_negative(lanes::all(0.0F))[0], 1.0F);
}

}  // namespace
}  // namespace tokenyard
