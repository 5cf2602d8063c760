#pragma once
// Time in the simulator and in live runs: whole nanoseconds, strongly typed.
//
// `Duration` and `Time` are std::chrono types, so mixing them up does not compile. Nothing in a
// decision uses floating-point time; seconds as doubles exist only at the edges (cost models round
// once per iteration, reports print).

#include <chrono>
#include <cstdint>
#include <string>

namespace tokenyard {

using Duration = std::chrono::nanoseconds;

/// The time line of one run. It has no `now()`: only a `Clock` knows the time, and only the loop
/// asks it (docs/architecture.md).
struct Timeline {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
  using time_point = std::chrono::time_point<Timeline>;
  static constexpr bool is_steady = true;
};

using Time = Timeline::time_point;

/// The trace's origin.
inline constexpr Time kOrigin{};
/// Later than everything that happens.
inline constexpr Time kNever = Time::max();

/// The longest time any input may name: 100 years, so that sums of a few never overflow.
inline constexpr Duration kLongest = std::chrono::hours(24 * 365 * 100);

/// Seconds as a double, for reports and estimates only.
double to_seconds(Duration duration);

/// The nearest whole nanosecond to `seconds`. Precondition: |seconds| is at most `kLongest`
/// (callers check input with their own message); otherwise an invariant breaks.
Duration from_seconds(double seconds);

/// The same without the check. As llround does, half away from zero, but without a call: every
/// iteration comes by here.
inline Duration nearest_duration(double seconds) {
  const double exact = seconds * 1e9;
  const auto whole = static_cast<std::int64_t>(exact);
  const double rest = exact - static_cast<double>(whole);  // without error
  return Duration(whole + (rest >= 0.5 ? 1 : 0) - (rest <= -0.5 ? 1 : 0));
}

/// Seconds with nine decimals and no rounding, e.g. "12.000000345".
std::string format_seconds(Duration duration);

}  // namespace tokenyard
