#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "traces/generator_spec.hpp"

namespace tokenyard {

/// A renewal process: the gaps between arrivals are independent. Stateless, so that a request's gap
/// depends on the seed and the request alone.
class ArrivalProcess {
 public:
  virtual ~ArrivalProcess() = default;

  /// The gap before the request `request`, in seconds, >= 0; the first request's gap is counted
  /// from the origin. Draws come from the stream "arrivals" keyed by the request.
  virtual double gap_s(std::uint64_t seed, std::uint64_t request) const = 0;
};

/// "poisson:rate=4", "gamma:rate=4,cv=2", "uniform:rate=4" (equal gaps) or "burst:" (all at the
/// origin). Throws `InputError`.
std::unique_ptr<ArrivalProcess> make_arrivals(std::string_view spec);

std::vector<GeneratorHelp> list_arrivals();

}  // namespace tokenyard
