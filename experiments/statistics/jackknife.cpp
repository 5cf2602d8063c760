#include "experiments/statistics/jackknife.hpp"

#include <vector>

namespace tokenyard {

Interval jackknife_95(std::size_t samples, const LeaveOneOut& statistic) {
  Interval result;
  result.mean = statistic(std::nullopt);
  if (!result.mean || samples < 2) return result;
  const auto count = static_cast<double>(samples);
  std::vector<double> pseudo;
  for (std::size_t i = 0; i < samples; ++i) {
    const auto without = statistic(i);
    if (!without) return result;
    pseudo.push_back(count * *result.mean - (count - 1) * *without);
  }
  result.half_width = t_interval_95(pseudo).half_width;
  return result;
}

}  // namespace tokenyard
