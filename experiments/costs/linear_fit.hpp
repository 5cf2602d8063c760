#pragma once

#include <span>
#include <string>
#include <vector>

#include "models/linear_cost_model.hpp"
#include "sim/ports/cost_model.hpp"

namespace tokenyard {

/// One measured iteration.
struct MeasuredIteration {
  IterationLoad load;
  double seconds = 0;  ///< above 0
};

/// How well estimates meet measurements, all relative to the measured times.
struct Agreement {
  std::size_t points = 0;
  /// 1 - sum of squared relative residuals over those of the best constant; below 0 where the
  /// estimates are worse than that constant.
  double r_squared = 0;
  double mean_relative = 0;   ///< mean of |residual| / measured
  double worst_relative = 0;  ///< the greatest of them
};

/// `estimates` in the order of `measured`. Precondition: at least one.
Agreement agreement_of(std::span<const double> measured, std::span<const double> estimates);

/// The linear form that meets the measurements best.
struct LinearFit {
  LinearCoefficients coefficients;  ///< of iterations; those of copies are 0
  /// Names of coefficients that a free fit would have made negative, or nearly none: they are 0 and
  /// the others meet the measurements best without them.
  std::vector<std::string> dropped;
};

/// Weighted least squares with weights 1/seconds^2, so that relative residuals count alike however
/// long an iteration is, and no coefficient is negative: of all subsets of the coefficients, each
/// solved by a rank-revealing QR decomposition (Eigen), the one with the least residual among those
/// without a negative one. With five coefficients that is exact and at once. Precondition: at least
/// one measurement.
LinearFit fit_linear(std::span<const MeasuredIteration> measured);

}  // namespace tokenyard
