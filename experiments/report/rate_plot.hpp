#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "experiments/record/summary.hpp"
#include "experiments/statistics/interval.hpp"

namespace tokenyard {

/// Mean normalized latency at one request rate, over the seeds.
struct RatePoint {
  double rate = 0;   ///< requests/s
  Interval latency;  ///< s/token; its mean is there
};

/// One variant, system and policy of a sweep.
struct RateCurve {
  std::string label;
  std::vector<RatePoint> points;  ///< by ascending rate
};

/// The curves of a sweep's rows, in the order of first appearance; none where there are fewer than
/// two rates.
std::vector<RateCurve> rate_curves(std::span<const Summary> summaries);

/// Draws latency_vs_rate (log latency axis; bars are 95 % intervals over the seeds) into `folder`
/// as .png, .svg and the .csv of what is drawn. Returns the base names written: none without a
/// curve. Throws as `draw_plot`.
std::vector<std::string> draw_rate_plot(const std::filesystem::path& folder,
                                        const std::vector<RateCurve>& curves);

}  // namespace tokenyard
