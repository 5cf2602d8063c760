#pragma once

#include <optional>

#include "sim/kernel/rng.hpp"
#include "sim/ports/parameters.hpp"
#include "traces/renewal_gap.hpp"

namespace tokenyard {

/// How long a user thinks about an answer before the next request: gamma times by their mean and
/// coefficient of variation, or always the mean. A value type.
class ThinkTime {
 public:
  /// Reads `think_s` and `think_cv`.
  explicit ThinkTime(Parameters& parameters);

  double draw_s(Rng& rng) const;

 private:
  double mean_s_;
  std::optional<UnitGap> law_;  ///< empty: always the mean
};

}  // namespace tokenyard
