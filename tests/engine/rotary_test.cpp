#include "engine/kernels/rotary.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "sim/kernel/invariant.hpp"

namespace tokenyard {
namespace {

const std::vector<float> kFrequencies{1.0F, 0.1F, 1e-4F};

std::vector<float> numbers() {
  std::vector<float> row;
  for (int i = 0; i < 14; ++i) row.push_back(static_cast<float>(i * i % 11) - 4);  // 2 heads of 6
  return row;
}

// Would catch: the two pairings mixed up, a turn the wrong way round, angles in single precision
// (at position 100 000 they would be off by 1e-3), a head that is left out, one turned that should
// not be.
TEST(Rotary, TurnsPairsByTheirAngles) {
  const std::vector<std::int64_t> positions{0, 7, 100'000};
  RotaryAngles angles(kFrequencies);
  angles.set(positions);
  for (const RopePairs pairs : {RopePairs::halves, RopePairs::adjacent}) {
    std::vector<float> rows;
    for (int i = 0; i < 3; ++i) {
      const auto row = numbers();
      rows.insert(rows.end(), row.begin(), row.end());
    }
    angles.rotate(pairs, 2, {rows.data(), 14}, {1, 3});
    EXPECT_EQ(std::vector<float>(rows.begin(), rows.begin() + 14), numbers());
    for (std::size_t row = 1; row < 3; ++row) {
      for (std::size_t head = 0; head < 2; ++head) {
        for (std::size_t i = 0; i < 3; ++i) {
          const std::size_t first = head * 6 + (pairs == RopePairs::halves ? i : 2 * i);
          const std::size_t second = first + (pairs == RopePairs::halves ? 3 : 1);
          const double a = numbers()[first], b = numbers()[second];
          const double angle =
              static_cast<double>(positions[row]) * static_cast<double>(kFrequencies[i]);
          EXPECT_NEAR(rows[row * 14 + first], a * std::cos(angle) - b * std::sin(angle), 1e-6);
          EXPECT_NEAR(rows[row * 14 + second], b * std::cos(angle) + a * std::sin(angle), 1e-6);
        }
      }
      EXPECT_EQ(rows[row * 14 + 12], numbers()[12]);
      EXPECT_EQ(rows[row * 14 + 13], numbers()[13]);
    }
  }
}

// Would catch: rows turned by the angles of an earlier, longer step.
TEST(Rotary, RefusesRowsWithoutAngles) {
  RotaryAngles angles(kFrequencies);
  angles.set(std::vector<std::int64_t>{1, 2, 3});
  angles.set(std::vector<std::int64_t>{4});
  auto row = numbers();
  EXPECT_NO_THROW(angles.rotate(RopePairs::halves, 2, {row.data(), 14}, {0, 1}));
  EXPECT_THROW(angles.rotate(RopePairs::halves, 2, {row.data(), 14}, {0, 2}), InvariantBroken);
}

}  // namespace
}  // namespace tokenyard
