#include "sim/kernel/time.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>

#include "sim/kernel/invariant.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {
namespace {

using namespace std::chrono_literals;

// Would catch: a duration taken for an instant, or a bare number for either.
static_assert(!std::is_convertible_v<Duration, Time>);
static_assert(!std::is_convertible_v<Time, Duration>);
static_assert(!std::is_convertible_v<std::int64_t, Duration>);
static_assert(!std::is_convertible_v<std::chrono::steady_clock::time_point, Time>);

// Would catch: truncation instead of rounding, which shortens every iteration by half a nanosecond.
TEST(Time, SecondsRoundToTheNearestNanosecond) {
  EXPECT_EQ(from_seconds(1.5), 1'500'000'000ns);
  EXPECT_EQ(from_seconds(0.6e-9), 1ns);
  EXPECT_EQ(from_seconds(0.4e-9), 0ns);
  EXPECT_EQ(from_seconds(-0.6e-9), -1ns);
  EXPECT_EQ(from_seconds(0.1), 100'000'000ns);
}

// Would catch: overflow of 64 bits passed on as a time in the past.
TEST(Time, OutOfRangeSecondsBreakAnInvariant) {
  EXPECT_EQ(from_seconds(to_seconds(kLongest)), kLongest);
  EXPECT_THROW(from_seconds(1e10), InvariantBroken);
  EXPECT_THROW(from_seconds(-1e10), InvariantBroken);
  EXPECT_THROW(from_seconds(std::numeric_limits<double>::quiet_NaN()), InvariantBroken);
}

// Would catch: lost digits, a wrong sign, or missing leading zeros in result files.
TEST(Time, PrintsAllNineDigits) {
  EXPECT_EQ(format_seconds(0ns), "0.000000000");
  EXPECT_EQ(format_seconds(12s + 345ns), "12.000000345");
  EXPECT_EQ(format_seconds(-1ns), "-0.000000001");
  EXPECT_EQ(format_seconds(-(3s + 500ms)), "-3.500000000");
  EXPECT_EQ(format_seconds(Duration::min()), "-9223372036.854775808");
}

// Would catch: a printed time that is not the exact one (as printing through a double would give).
RC_GTEST_PROP(Time, PrintedSecondsAreExact, (std::int64_t count)) {
  std::string digits = format_seconds(Duration(count));
  const auto point = digits.find('.');
  RC_ASSERT(digits.size() - point == 10U);
  digits.erase(point, 1);
  RC_ASSERT(parse_integer(digits) == count);
}

// Would catch: an origin that is not zero, or a `never` that something may pass.
TEST(Time, OriginIsZeroAndNeverIsLast) {
  EXPECT_EQ(kOrigin.time_since_epoch(), 0ns);
  EXPECT_GT(kNever, kOrigin + kLongest + kLongest);
}

}  // namespace
}  // namespace tokenyard
