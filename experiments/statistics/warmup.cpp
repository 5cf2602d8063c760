#include "experiments/statistics/warmup.hpp"

#include <numeric>
#include <vector>

namespace tokenyard {

std::optional<std::size_t> mser5(std::span<const double> observations) {
  constexpr std::size_t kBatch = 5, kFewest = 50;
  if (observations.size() < kFewest) return std::nullopt;
  const std::size_t batches = observations.size() / kBatch;
  const auto used = observations.first(batches * kBatch);
  // About the mean of all, so that squares of nearly equal numbers do not cancel out.
  const double centre =
      std::accumulate(used.begin(), used.end(), 0.0) / static_cast<double>(used.size());
  double sum = 0, squares = 0, least = 0;
  std::size_t best = batches;
  for (std::size_t first = batches; first-- > 0;) {
    double batch = 0;
    for (std::size_t i = 0; i < kBatch; ++i) batch += used[first * kBatch + i] - centre;
    batch /= kBatch;
    sum += batch;
    squares += batch * batch;
    // The last few batches are left out of the search: by chance they may be nearly equal.
    const std::size_t left = batches - first;
    if (left < kBatch) continue;
    const auto count = static_cast<double>(left);
    const double error = (squares - sum * sum / count) / (count * count);
    if (best == batches || error <= least) {
      best = first;
      least = error;
    }
  }
  if (2 * best >= batches) return std::nullopt;
  return best * kBatch;
}

}  // namespace tokenyard
