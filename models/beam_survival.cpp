#include "models/beam_survival.hpp"

#include "sim/kernel/rng.hpp"

namespace tokenyard {

std::int32_t BeamSurvival::parent(RequestId request, std::int64_t generated, std::int32_t beam,
                                  std::int32_t width) const {
  const auto step = static_cast<std::uint64_t>(generated);
  Rng draws = named_stream(seed_, "beams", (index(request) << 32U) | step);
  std::uint64_t drawn = draws();
  for (std::int32_t i = 0; i < beam; ++i) drawn = draws();
  // The upper half times the width: even to within 2^-32.
  return static_cast<std::int32_t>(((drawn >> 32U) * static_cast<std::uint64_t>(width)) >> 32U);
}

}  // namespace tokenyard
