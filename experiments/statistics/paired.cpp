#include "experiments/statistics/paired.hpp"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <numeric>
#include <vector>

#include "sim/kernel/invariant.hpp"

namespace tokenyard {

std::optional<RelativeChange> paired_change(std::span<const double> base,
                                            std::span<const double> candidate) {
  invariant(base.size() == candidate.size(), "replications come in pairs", "{} and {}", base.size(),
            candidate.size());
  const auto count = static_cast<double>(base.size());
  if (base.size() < 2) return std::nullopt;
  const double base_mean = std::accumulate(base.begin(), base.end(), 0.0) / count;
  if (base_mean == 0) return std::nullopt;
  std::vector<double> differences;
  for (std::size_t i = 0; i < base.size(); ++i) differences.push_back(candidate[i] - base[i]);
  const double mean = std::accumulate(differences.begin(), differences.end(), 0.0) / count;
  double squares = 0;
  for (const double difference : differences) squares += (difference - mean) * (difference - mean);
  const double error = std::sqrt(squares / (count - 1) / count);
  constexpr double kUpperTail = 0.975;
  const boost::math::students_t distribution(count - 1);
  const double half_width = boost::math::quantile(distribution, kUpperTail) * error;

  const double scale = 1 / std::abs(base_mean);
  RelativeChange change;
  change.change = mean * scale;
  change.low = (mean - half_width) * scale;
  change.high = (mean + half_width) * scale;
  change.pairs = static_cast<std::int64_t>(base.size());
  if (error > 0) {
    change.p_value =
        2 * boost::math::cdf(boost::math::complement(distribution, std::abs(mean) / error));
  } else {
    change.p_value = mean == 0 ? 1 : 0;
  }
  return change;
}

std::int64_t pairs_needed(const RelativeChange& change, double bound) {
  constexpr double kMost = 1e9, kWorthCatching = 0.05, kUpperTail = 0.975, kPower = 0.9;
  double distance = std::abs(bound - change.change);
  if (std::abs(bound) < kWorthCatching) {
    distance = std::min(distance, kWorthCatching - std::abs(bound));
  }
  if (distance <= 0) return static_cast<std::int64_t>(kMost);
  const boost::math::students_t distribution(static_cast<double>(change.pairs) - 1);
  const double quantile = boost::math::quantile(distribution, kUpperTail);
  const double ratio = change.half_width() / quantile *
                       (quantile + boost::math::quantile(distribution, kPower)) / distance;
  const double pairs = static_cast<double>(change.pairs) * ratio * ratio;
  return static_cast<std::int64_t>(std::ceil(std::clamp(pairs, 2.0, kMost)));
}

void adjust_by_holm(std::span<double> p_values) {
  std::vector<std::size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return p_values[a] != p_values[b] ? p_values[a] < p_values[b] : a < b;
  });
  double least = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto left = static_cast<double>(order.size() - i);
    least = std::max(least, std::min(1.0, left * p_values[order[i]]));
    p_values[order[i]] = least;
  }
}

}  // namespace tokenyard
