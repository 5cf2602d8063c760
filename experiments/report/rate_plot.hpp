#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "experiments/record/summary.hpp"
#include "experiments/report/line_plot.hpp"

namespace tokenyard {

/// A label without the ending that names its request rate.
std::string without_rate(const SummaryKey& key);

/// How many different request rates there are.
std::size_t rate_count(std::span<const Summary> summaries);

/// A number of a sweep's rows against their request rate: a line for each variant, system and
/// policy in the order of first appearance, a point a rate, with the 95 % interval over the seeds.
/// `value` gets the place of a row; rows for which it is empty are left out.
std::vector<Line> rate_lines(std::span<const Summary> summaries,
                             const std::function<std::optional<double>(std::size_t)>& value);

/// The plots latency_vs_rate and throughput_vs_rate.
LinePlot latency_rate_plot();
LinePlot throughput_rate_plot();

}  // namespace tokenyard
