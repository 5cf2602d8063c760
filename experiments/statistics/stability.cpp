#include "experiments/statistics/stability.hpp"

#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <numeric>

namespace tokenyard {

bool grows_without_end(std::span<const double> changes) {
  constexpr std::size_t kFewest = 5;
  constexpr double kMaterial = 0.005, kLevel = 0.999;
  if (changes.size() < kFewest) return false;
  const auto count = static_cast<double>(changes.size());
  const double mean = std::accumulate(changes.begin(), changes.end(), 0.0) / count;
  if (mean < kMaterial) return false;
  double squares = 0;
  for (const double change : changes) squares += (change - mean) * (change - mean);
  const double error = std::sqrt(squares / (count - 1) / count);
  const boost::math::students_t distribution(count - 1);
  return mean >= boost::math::quantile(distribution, kLevel) * error;
}

}  // namespace tokenyard
