#include "experiments/statistics/block_bootstrap.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "sim/kernel/rng.hpp"

namespace tokenyard {

namespace {

constexpr std::size_t kFewest = 40;
constexpr int kDraws = 1000;
constexpr int kWindows = 20;

}  // namespace

Statistic mean_statistic() {
  return [](std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  };
}

Statistic quantile_statistic(double q) {
  return [q](std::vector<double>& values) {
    const auto rank = static_cast<std::size_t>(std::ceil(q * static_cast<double>(values.size())));
    const auto at =
        values.begin() + static_cast<std::ptrdiff_t>(std::max<std::size_t>(rank, 1) - 1);
    std::nth_element(values.begin(), at, values.end());
    return *at;
  };
}

std::optional<RelativeChange> block_bootstrap_change(std::span<const PairedSample> samples,
                                                     const Statistic& statistic,
                                                     std::uint64_t seed) {
  if (samples.size() < kFewest) return std::nullopt;
  std::vector<double> base, candidate;
  const auto take = [&](std::span<const PairedSample> some) {
    for (const PairedSample& sample : some) {
      base.push_back(sample.base);
      candidate.push_back(sample.candidate);
    }
  };
  take(samples);
  const double base_value = statistic(base);
  if (base_value == 0) return std::nullopt;
  RelativeChange change;
  change.pairs = 1;
  change.change = (statistic(candidate) - base_value) / std::abs(base_value);

  const double start = samples.front().arrival_s;
  const double window = (samples.back().arrival_s - start) / kWindows;
  const auto from = [&](double time) {
    return std::partition_point(samples.begin(), samples.end(),
                                [&](const PairedSample& s) { return s.arrival_s < time; });
  };
  std::vector<double> drawn;
  int above = 0;
  for (int draw = 0; draw < kDraws; ++draw) {
    Rng rng = named_stream(seed, "block bootstrap", static_cast<std::uint64_t>(draw));
    base.clear();
    candidate.clear();
    for (int i = 0; i < kWindows; ++i) {
      constexpr double kToUnit = 0x1p-53;
      const double u = static_cast<double>(rng() >> 11U) * kToUnit;
      const double begin = start + u * window * (kWindows - 1);
      take({from(begin), from(begin + window)});
    }
    if (base.empty()) continue;
    const double value = statistic(base);
    if (value == 0) continue;
    drawn.push_back((statistic(candidate) - value) / std::abs(value));
    above += drawn.back() > 0 ? 1 : 0;
  }
  if (drawn.size() < kDraws / 2) return std::nullopt;
  std::sort(drawn.begin(), drawn.end());
  const auto count = static_cast<double>(drawn.size());
  constexpr double kTail = 0.025;
  change.low = drawn[static_cast<std::size_t>(kTail * count)];
  change.high = drawn[static_cast<std::size_t>((1 - kTail) * count) - 1];
  const double share = static_cast<double>(above) / count;
  change.p_value = std::max(2 * std::min(share, 1 - share), 1 / count);
  if (drawn.front() == 0 && drawn.back() == 0) change.p_value = 1;
  return change;
}

}  // namespace tokenyard
