#include "experiments/statistics/interval.hpp"

#include <boost/math/distributions/students_t.hpp>
#include <cmath>

namespace tokenyard {

Interval t_interval_95(std::span<const double> samples) {
  Interval result;
  if (samples.empty()) return result;
  const auto count = static_cast<double>(samples.size());
  double sum = 0;
  for (const auto sample : samples) sum += sample;
  const double mean = sum / count;
  result.mean = mean;
  if (samples.size() < 2) return result;
  double squares = 0;
  for (const auto sample : samples) squares += (sample - mean) * (sample - mean);
  constexpr double kUpperTail = 0.975;
  const boost::math::students_t distribution(count - 1);
  result.half_width =
      boost::math::quantile(distribution, kUpperTail) * std::sqrt(squares / (count - 1) / count);
  return result;
}

}  // namespace tokenyard
