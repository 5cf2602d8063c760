#pragma once

#include <cstdint>
#include <span>

namespace tokenyard {

/// No sequential procedure stops before so many replications: with fewer a chance spread that is
/// too small would stop it (Law, "Simulation Modeling and Analysis", 5th ed., section 9.4.1).
inline constexpr std::int64_t kFewestReplications = 10;

/// How far a mean over replications is known.
struct Precision {
  double relative = 0;      ///< the 95 % interval's half-width over the mean's magnitude
  bool reached = false;     ///< whether it is what was asked for
  std::int64_t needed = 0;  ///< about how many replications it takes; at least as many as there are
};

/// Whether replications may stop: a mean is to be known within the share `target` of its true
/// value, with a confidence of 95 %. The half-width may then be at most target / (1 + target) of
/// the estimate (Law, the same place). A mean of 0 is never reached unless all are 0.
Precision precision_of(std::span<const double> replications, double target);

}  // namespace tokenyard
