#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace tokenyard {

/// How many observations to leave out at the beginning of a run that began empty, by MSER-5: of
/// the means of five successive observations each, so many are left out that the rest has the
/// least marginal standard error, the sum of squared deviations over the squared number (White,
/// "An effective truncation heuristic for bias reduction in simulation output", Simulation 69,
/// 1997; in batches of five: White, Cobb and Spratt, WSC 2000, section 2.4). A multiple of five
/// and at most half of them. Empty where the least lies at or beyond the half or there are fewer
/// than 50 observations: then the run is too short to tell, or has no steady state.
std::optional<std::size_t> mser5(std::span<const double> observations);

}  // namespace tokenyard
