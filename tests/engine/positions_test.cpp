#include "engine/architectures/positions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace tokenyard {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatEq;

// Would catch: frequencies off by a pair, or over the number of pairs instead of elements.
TEST(Positions, RopeFrequenciesFallFromOne) {
  EXPECT_THAT(rope_frequencies(4, 10000.0), ElementsAre(FloatEq(1.0F), FloatEq(0.01F)));
  EXPECT_THAT(rope_frequencies(8, 10000.0),
              ElementsAre(FloatEq(1.0F), FloatEq(0.1F), FloatEq(0.01F), FloatEq(0.001F)));
}

// Would catch: limits that are taken for wavelengths instead of turns or the other way round, and a
// middle that jumps. The settings are Llama 3.1's; three pairs are worked out by hand.
TEST(Positions, Llama3ScalingSlowsSlowPairsOnly) {
  const auto plain = rope_frequencies(128, 500000.0);
  const auto scaled = rope_frequencies(128, 500000.0, {8.0, 1.0, 4.0, 8192.0});
  ASSERT_EQ(scaled.size(), 64U);
  for (std::size_t i = 0; i < 64; ++i) {
    const double wavelength = 2 * std::numbers::pi / static_cast<double>(plain[i]);
    if (wavelength < 8192.0 / 4) {
      EXPECT_EQ(scaled[i], plain[i]) << i;
    } else if (wavelength > 8192.0) {
      EXPECT_FLOAT_EQ(scaled[i], plain[i] / 8) << i;
    } else {
      EXPECT_LT(scaled[i], plain[i]) << i;
      EXPECT_GT(scaled[i], plain[i] / 8) << i;
    }
  }
  // Pair 32 has base^(-1/2): 1.84385 turns in 8192 tokens, so 0.281283 of its speed is kept.
  EXPECT_NEAR(plain[32], 1.0 / std::sqrt(500000.0), 1e-9);
  EXPECT_NEAR(scaled[32], plain[32] * (0.281283 + 0.718717 / 8), 1e-8);
}

// Would catch: another slope than the paper's where the number of heads is a power of two.
TEST(Positions, AlibiSlopesOfAPowerOfTwo) {
  EXPECT_THAT(alibi_slopes(8), ElementsAre(0.5F, 0.25F, 0.125F, 0.0625F, 0.03125F, 0.015625F,
                                           0.0078125F, 0.00390625F));
  EXPECT_THAT(alibi_slopes(1), ElementsAre(1.0F / 256));
  EXPECT_THAT(alibi_slopes(2, 16.0), ElementsAre(1.0F / 256, 1.0F / 65536));
}

// Would catch: slopes between powers of two drawn from the wrong end. For 12 heads: those of 8,
// then the first, third, fifth and seventh of 16. For 3: both of 2, then the first of 4.
TEST(Positions, AlibiSlopesBetweenPowersOfTwo) {
  const auto slopes = alibi_slopes(12);
  ASSERT_EQ(slopes.size(), 12U);
  EXPECT_EQ(slopes[0], 0.5F);
  EXPECT_EQ(slopes[7], 1.0F / 256);
  EXPECT_FLOAT_EQ(slopes[8], std::exp2(-0.5F));
  EXPECT_FLOAT_EQ(slopes[9], std::exp2(-1.5F));
  EXPECT_FLOAT_EQ(slopes[11], std::exp2(-3.5F));
  EXPECT_THAT(alibi_slopes(3), ElementsAre(1.0F / 16, 1.0F / 256, 0.25F));
  EXPECT_EQ(alibi_slopes(112).size(), 112U);
}

}  // namespace
}  // namespace tokenyard
