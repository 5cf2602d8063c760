#pragma once

#include <cstdint>

#include "sim/ports/ids.hpp"

namespace tokenyard {

/// Which beams survive a step, where no engine computes it: each of the beams after the step goes
/// on from a beam before it that is drawn evenly and independently (the resampling of Wright and
/// Fisher, whose genealogy is Kingman's coalescent: two beams have had their last common token
/// `width` steps ago in the mean). Draws are keyed by request and step, so they do not depend on
/// scheduling. Immutable; safe to share between threads.
class BeamSurvival {
 public:
  explicit BeamSurvival(std::uint64_t seed) : seed_(seed) {}

  /// The beam, 0 … width − 1, that beam `beam` goes on from when the request has `generated`
  /// tokens.
  std::int32_t parent(RequestId request, std::int64_t generated, std::int32_t beam,
                      std::int32_t width) const;

 private:
  std::uint64_t seed_;
};

}  // namespace tokenyard
