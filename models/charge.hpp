#pragma once

#include "sim/kernel/time.hpp"

namespace tokenyard {

/// What an iteration that was estimated at `seconds` is charged: the nearest whole nanosecond. An
/// estimate of more than a year can only come from a wrong cost model file or trace, so it is an
/// `InputError`.
Duration charge_checked(double seconds);

inline Duration charge(double seconds) {
  constexpr double kSurelySensible_s = 1e6;
  const bool sensible = seconds >= 0 && seconds <= kSurelySensible_s;
  return sensible ? nearest_duration(seconds) : charge_checked(seconds);
}

}  // namespace tokenyard
