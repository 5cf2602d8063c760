#include "models/charge.hpp"

#include <fmt/format.h>

#include "sim/kernel/input_error.hpp"

namespace tokenyard {

Duration charge_checked(double seconds) {
  constexpr double kYear = 365.0 * 24 * 3600;
  if (!(seconds <= kYear)) [[unlikely]] {
    throw InputError(fmt::format(
        "cost model: one iteration would take {} s; check the units of its coefficients", seconds));
  }
  return from_seconds(seconds);
}

}  // namespace tokenyard
