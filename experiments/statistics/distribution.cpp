#include "experiments/statistics/distribution.hpp"

#include <algorithm>

#include "sim/kernel/invariant.hpp"

namespace tokenyard {

namespace {

constexpr double kNanosecondsPerSecond = 1e9;

double seconds(std::int64_t nanoseconds) {
  return static_cast<double>(nanoseconds) / kNanosecondsPerSecond;
}

double mean_seconds(WideInteger sum, std::int64_t count) {
  return static_cast<double>(sum) / (static_cast<double>(count) * kNanosecondsPerSecond);
}

/// `at_rank(r)` is the r-th smallest sample, from 1.
template <typename AtRank>
void fill_percentiles(Distribution& result, std::int64_t count, AtRank at_rank) {
  result.p50 = at_rank(nearest_rank(count, 500));
  result.p90 = at_rank(nearest_rank(count, 900));
  result.p95 = at_rank(nearest_rank(count, 950));
  result.p99 = at_rank(nearest_rank(count, 990));
  result.max = at_rank(count);
}

}  // namespace

std::int64_t nearest_rank(std::int64_t count, std::int64_t permille) {
  invariant(count >= 1 && permille >= 0 && permille <= 1000, "I11 a percentile has samples",
            "rank of {}/1000 among {} samples", permille, count);
  const auto product = static_cast<WideInteger>(count) * permille;
  return std::max<std::int64_t>(1, static_cast<std::int64_t>((product + 999) / 1000));
}

Distribution distribution_of_nanoseconds(std::vector<std::int64_t> samples) {
  Distribution result;
  if (samples.empty()) return result;
  std::sort(samples.begin(), samples.end());
  WideInteger sum = 0;
  for (const auto sample : samples) sum += sample;
  const auto count = static_cast<std::int64_t>(samples.size());
  result.mean = mean_seconds(sum, count);
  fill_percentiles(result, count, [&](std::int64_t rank) {
    return seconds(samples[static_cast<std::size_t>(rank - 1)]);
  });
  return result;
}

Distribution distribution_of_nanoseconds(const ValueCounts& samples) {
  Distribution result;
  if (samples.total() == 0) return result;
  const auto entries = samples.sorted();
  WideInteger sum = 0;
  for (const auto& [value, count] : entries) sum += static_cast<WideInteger>(value) * count;
  result.mean = mean_seconds(sum, samples.total());
  fill_percentiles(result, samples.total(), [&](std::int64_t rank) {
    std::int64_t seen = 0;
    for (const auto& [value, count] : entries) {
      seen += count;
      if (seen >= rank) return seconds(value);
    }
    return seconds(entries.back().first);
  });
  return result;
}

Distribution distribution_of(std::vector<double> samples) {
  Distribution result;
  if (samples.empty()) return result;
  std::sort(samples.begin(), samples.end());
  double sum = 0;
  for (const auto sample : samples) sum += sample;
  const auto count = static_cast<std::int64_t>(samples.size());
  result.mean = sum / static_cast<double>(count);
  fill_percentiles(result, count,
                   [&](std::int64_t rank) { return samples[static_cast<std::size_t>(rank - 1)]; });
  return result;
}

std::optional<double> jain_fairness(const std::vector<double>& shares) {
  double sum = 0;
  double squares = 0;
  for (const auto share : shares) {
    sum += share;
    squares += share * share;
  }
  if (squares <= 0) return std::nullopt;
  return sum * sum / (static_cast<double>(shares.size()) * squares);
}

}  // namespace tokenyard
