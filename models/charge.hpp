#pragma once

#include "sim/kernel/time.hpp"

namespace tokenyard {

/// What an iteration that was estimated at `seconds` is charged: the nearest whole nanosecond. An
/// estimate of more than a year can only come from a wrong cost model file or trace, so it is an
/// `InputError`.
Duration charge(double seconds);

}  // namespace tokenyard
