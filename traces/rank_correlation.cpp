#include "traces/rank_correlation.hpp"

#include <algorithm>
#include <boost/math/special_functions/erf.hpp>
#include <boost/random/normal_distribution.hpp>
#include <cmath>
#include <numbers>

namespace tokenyard {

namespace {

double share_below(double normal) {
  return boost::math::erfc(-normal / std::numbers::sqrt2) / 2;
}

}  // namespace

RankCorrelation::RankCorrelation(Parameters& parameters) {
  const double spearman =
      parameters.number("correlation", 0, -1, 1,
                        "Spearman's rank correlation of prompt and output (Gaussian copula)");
  normal_correlation_ = 2 * std::sin(std::numbers::pi * spearman / 6);
}

std::pair<double, double> RankCorrelation::normals(Rng& rng) const {
  boost::random::normal_distribution<double> normal;
  const double first = normal(rng);
  const double second = normal(rng);
  const double own = std::sqrt(std::max(0.0, 1 - normal_correlation_ * normal_correlation_));
  return {first, normal_correlation_ * first + own * second};
}

std::pair<double, double> RankCorrelation::ranks(Rng& rng) const {
  const auto [first, second] = normals(rng);
  return {share_below(first), share_below(second)};
}

}  // namespace tokenyard
