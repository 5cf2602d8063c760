#include "engine/kernels/bf16.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace tokenyard {
namespace {

// Would catch: a bf16 that changes when it is widened and rounded again.
TEST(Bf16, EveryValueSurvives) {
  for (std::uint32_t bits = 0; bits <= 0xffff; ++bits) {
    const float value = widen_bf16(static_cast<std::uint16_t>(bits));
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(widen_bf16(round_to_bf16(value)))) << bits;
    } else {
      EXPECT_EQ(round_to_bf16(value), bits);
    }
  }
}

// Would catch: cutting off instead of rounding, ties away from even, and a NaN that becomes an
// infinity because the low bits, its only ones, are cut off or carried over.
TEST(Bf16, RoundsToNearestEven) {
  EXPECT_EQ(widen_bf16(round_to_bf16(1.0F + 0x1p-8F)), 1.0F);              // a tie, down
  EXPECT_EQ(widen_bf16(round_to_bf16(1.0F + 0x3p-8F)), 1.0F + 0x4p-8F);    // a tie, up
  EXPECT_EQ(widen_bf16(round_to_bf16(1.0F + 0x1.1p-8F)), 1.0F + 0x2p-8F);  // above it
  EXPECT_EQ(widen_bf16(round_to_bf16(-1.0F - 0x3p-8F)), -1.0F - 0x4p-8F);
  EXPECT_EQ(widen_bf16(round_to_bf16(std::numeric_limits<float>::max())), INFINITY);
  EXPECT_TRUE(std::isnan(widen_bf16(round_to_bf16(std::bit_cast<float>(0x7f800001U)))));
  EXPECT_TRUE(std::isnan(widen_bf16(round_to_bf16(std::bit_cast<float>(0xffffffffU)))));
}

}  // namespace
}  // namespace tokenyard
