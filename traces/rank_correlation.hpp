#pragma once

#include <utility>

#include "sim/kernel/rng.hpp"
#include "sim/ports/parameters.hpp"

namespace tokenyard {

/// Ties two lengths to one another by a Gaussian copula: each keeps its own distribution, and their
/// ranks are correlated. A value type.
class RankCorrelation {
 public:
  /// Reads `correlation`: Spearman's rank correlation r of prompt and output, before rounding. The
  /// normals behind it are correlated by 2 sin(pi r / 6) (Kruskal, "Ordinal measures of
  /// association", JASA 53, 1958).
  explicit RankCorrelation(Parameters& parameters);

  /// Two standard normals. The first two normals of the stream make them, whatever the correlation.
  std::pair<double, double> normals(Rng& rng) const;

  /// The same as shares of their distributions below them, in [0, 1].
  std::pair<double, double> ranks(Rng& rng) const;

 private:
  double normal_correlation_;
};

}  // namespace tokenyard
