#include "traces/renewal_gap.hpp"

#include <boost/math/special_functions/gamma.hpp>
#include <boost/random/gamma_distribution.hpp>
#include <boost/random/uniform_01.hpp>
#include <cmath>
#include <numeric>

#include "sim/kernel/invariant.hpp"

namespace tokenyard {

namespace {

double uniform(Rng& rng) {
  boost::random::uniform_01<double> unit;
  return unit(rng);
}

double gamma_variate(Rng& rng, double shape) {
  boost::random::gamma_distribution<double> gamma(shape);
  return gamma(rng);
}

}  // namespace

UnitGap::UnitGap(Law law, double shape) : law_(law), shape_(shape) {
  invariant(shape >= kLeastShape && shape <= kMostShape, "a gap's shape is in its range", "{}",
            shape);
  scale_ = law == Law::gamma ? 1 / shape : std::exp(-boost::math::lgamma(1 + 1 / shape));
}

double UnitGap::draw(Rng& rng) const {
  if (law_ == Law::gamma) return scale_ * gamma_variate(rng, shape_);
  return scale_ * std::pow(-std::log1p(-uniform(rng)), 1 / shape_);
}

double UnitGap::draw_remainder(Rng& rng) const {
  const double share = uniform(rng);
  // Weighted by its own length x, the density x^(k-1) e^-x of a gamma gap is that of shape k + 1;
  // for a Weibull gap (x / scale)^k, else exponential, becomes gamma with shape 1 + 1/k.
  if (law_ == Law::gamma) return share * scale_ * gamma_variate(rng, shape_ + 1);
  return share * scale_ * std::pow(gamma_variate(rng, 1 + 1 / shape_), 1 / shape_);
}

double weibull_shape(double cv) {
  const double wanted = std::log1p(cv * cv);
  double low = std::log(0.05);  // cv far above 100
  double high = std::log(1000.0);
  constexpr int kSteps = 100;
  for (int step = 0; step < kSteps; ++step) {
    const double middle = std::midpoint(low, high);
    const double inverse = std::exp(-middle);
    const double found =
        boost::math::lgamma(1 + 2 * inverse) - 2 * boost::math::lgamma(1 + inverse);
    (found > wanted ? low : high) = middle;
  }
  return std::exp(std::midpoint(low, high));
}

}  // namespace tokenyard
