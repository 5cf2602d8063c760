#include "sim/kernel/time.hpp"

#include <fmt/format.h>

#include <cmath>

#include "sim/kernel/invariant.hpp"

namespace tokenyard {

namespace {
constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;
}

double to_seconds(Duration duration) {
  return static_cast<double>(duration.count()) / static_cast<double>(kNanosecondsPerSecond);
}

Duration from_seconds(double seconds) {
  invariant(std::abs(seconds) <= to_seconds(kLongest), "I1 time stays in range",
            "a duration of {} s was computed", seconds);
  return nearest_duration(seconds);
}

std::string format_seconds(Duration duration) {
  const std::int64_t count = duration.count();
  const bool negative = count < 0;
  const auto magnitude =
      negative ? 0 - static_cast<std::uint64_t>(count) : static_cast<std::uint64_t>(count);
  return fmt::format("{}{}.{:09}", negative ? "-" : "", magnitude / kNanosecondsPerSecond,
                     magnitude % kNanosecondsPerSecond);
}

}  // namespace tokenyard
