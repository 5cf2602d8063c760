#include "experiments/study/seeded_line.hpp"

#include <algorithm>
#include <set>

#include "experiments/statistics/jackknife.hpp"

namespace tokenyard {

namespace {

std::set<std::uint64_t> seeds_of(const SeededLine& line) {
  std::set<std::uint64_t> seeds;
  for (const auto& [x, by_seed] : line.values) {
    for (const auto& [seed, value] : by_seed) seeds.insert(seed);
  }
  return seeds;
}

/// Of the means over all seeds but one.
std::optional<double> crossing_without(const SeededLine& line, double bound,
                                       std::optional<std::uint64_t> without) {
  std::vector<LinePoint> points;
  for (const auto& [x, by_seed] : line.values) {
    double sum = 0;
    std::size_t count = 0;
    for (const auto& [seed, value] : by_seed) {
      if (seed == without) continue;
      sum += value;
      ++count;
    }
    if (count > 0) points.push_back({x, sum / static_cast<double>(count)});
  }
  return first_crossing(points, bound);
}

/// The seed at this place, or none.
std::optional<std::uint64_t> seed_at(const std::set<std::uint64_t>& seeds,
                                     std::optional<std::size_t> place) {
  if (!place) return std::nullopt;
  return *std::next(seeds.begin(), static_cast<std::ptrdiff_t>(*place));
}

}  // namespace

Line SeededLine::means() const {
  Line line{label, {}};
  for (const auto& [x, by_seed] : values) {
    std::vector<double> samples;
    for (const auto& [seed, value] : by_seed) samples.push_back(value);
    const Interval interval = t_interval_95(samples);
    line.points.push_back({x, *interval.mean, interval.half_width});
  }
  return line;
}

std::optional<double> first_crossing(std::span<const LinePoint> points, double bound) {
  const auto above =
      std::ranges::find_if(points, [bound](const LinePoint& point) { return point.y >= bound; });
  if (above == points.begin() || above == points.end()) return std::nullopt;
  const LinePoint& below = *std::prev(above);
  return below.x + (above->x - below.x) * (bound - below.y) / (above->y - below.y);
}

Interval crossing(const SeededLine& line, double bound) {
  const std::set<std::uint64_t> seeds = seeds_of(line);
  return jackknife_95(seeds.size(), [&](std::optional<std::size_t> without) {
    return crossing_without(line, bound, seed_at(seeds, without));
  });
}

Interval crossing_ratio(const SeededLine& of, const SeededLine& to, double bound) {
  std::set<std::uint64_t> seeds = seeds_of(of);
  seeds.merge(seeds_of(to));
  return jackknife_95(seeds.size(),
                      [&](std::optional<std::size_t> without) -> std::optional<double> {
                        const auto seed = seed_at(seeds, without);
                        const auto upper = crossing_without(of, bound, seed);
                        const auto lower = crossing_without(to, bound, seed);
                        if (!upper || !lower || *lower <= 0) return std::nullopt;
                        return *upper / *lower;
                      });
}

}  // namespace tokenyard
