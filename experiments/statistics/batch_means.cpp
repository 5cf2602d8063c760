#include "experiments/statistics/batch_means.hpp"

#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <numeric>
#include <vector>

namespace tokenyard {

namespace {

std::vector<double> means_of(std::span<const double> observations, std::size_t batches) {
  const std::size_t size = observations.size() / batches;
  const auto used = observations.last(size * batches);
  std::vector<double> means;
  for (std::size_t i = 0; i < batches; ++i) {
    const auto batch = used.subspan(i * size, size);
    means.push_back(std::accumulate(batch.begin(), batch.end(), 0.0) / static_cast<double>(size));
  }
  return means;
}

/// Von Neumann's ratio: without correlation and for normal means the statistic is standard normal,
/// nearly.
bool shows_no_correlation(const std::vector<double>& means) {
  const auto count = static_cast<double>(means.size());
  const double mean = std::accumulate(means.begin(), means.end(), 0.0) / count;
  double squares = 0, steps = 0;
  for (std::size_t i = 0; i < means.size(); ++i) {
    squares += (means[i] - mean) * (means[i] - mean);
    if (i > 0) steps += (means[i] - means[i - 1]) * (means[i] - means[i - 1]);
  }
  if (squares == 0) return true;
  const double statistic =
      std::sqrt((count * count - 1) / (count - 2)) * (1 - steps / (2 * squares));
  constexpr double kLevel = 0.8;
  return statistic <= boost::math::quantile(boost::math::normal(), kLevel);
}

}  // namespace

BatchMeans batch_means(std::span<const double> observations) {
  constexpr std::size_t kFewest = 400;
  BatchMeans result;
  if (observations.size() < kFewest) return result;
  constexpr std::size_t kBatches = 20;
  result.interval = t_interval_95(means_of(observations, kBatches));
  result.independent = shows_no_correlation(means_of(observations, 2 * kBatches));
  return result;
}

}  // namespace tokenyard
