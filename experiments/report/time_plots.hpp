#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "experiments/report/line_plot.hpp"
#include "experiments/report/time_lines.hpp"

namespace tokenyard {

/// A line that lasts: a point at the beginning of each bin and one at the end of the last.
Line line_over_time(std::string label, const std::vector<double>& values, const TimeBins& bins);

/// The plots requests_in_system, queue_length and kv_use.
LinePlot in_system_plot();
LinePlot queue_length_plot();
/// `pool` is how many blocks there are; a line shows it.
LinePlot kv_use_plot(std::optional<double> pool);

/// Draws `levels` (see `TimeLine`) of one policy as a stack, level 0 at the bottom, into `folder`
/// as name.png, .svg, .pdf and .csv (label,start_s,level,requests). Throws as `draw_plot`.
void draw_levels(const std::filesystem::path& folder, const std::string& name,
                 const std::string& label, const std::vector<std::vector<double>>& levels,
                 const TimeBins& bins);

}  // namespace tokenyard
