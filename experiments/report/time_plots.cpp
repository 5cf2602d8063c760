#include "experiments/report/time_plots.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "experiments/report/gnuplot.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

/// From dark to light (the map "viridis" of van der Walt and Smith, 2015), so that levels keep
/// their order in grey and to people with any kind of colour vision.
constexpr const char* kLevelColours[kLevelsShown] = {"#440154", "#482173", "#433e85", "#38588c",
                                                     "#2d708e", "#25858e", "#1e9b8a", "#2ab07f",
                                                     "#52c569", "#86d549", "#c2df23", "#fde725"};

LinePlot over_time(const char* name, const char* title, const char* y_label, const char* y_column) {
  LinePlot plot;
  plot.name = name;
  plot.title = title;
  plot.x_label = "time (s)";
  plot.y_label = y_label;
  plot.x_column = "start_s";
  plot.y_column = y_column;
  plot.markers = false;
  return plot;
}

double start_of(std::size_t bin, const TimeBins& bins) {
  return static_cast<double>(bin) * bins.width_s();
}

std::string levels_csv(const std::string& label, const std::vector<std::vector<double>>& levels,
                       const TimeBins& bins) {
  std::string text = "label,start_s,level,requests\n";
  for (std::size_t bin = 0; bin < bins.count; ++bin) {
    for (std::size_t level = 0; level < levels.size(); ++level) {
      text += fmt::format("{},{},{},{}\n", csv_field(label), format_number(start_of(bin, bins)),
                          level, format_number(levels[level][bin]));
    }
  }
  return text;
}

/// Sums from level 0 up to each level, by bin.
std::vector<std::vector<double>> stacked(std::vector<std::vector<double>> levels) {
  for (std::size_t level = 1; level < levels.size(); ++level) {
    for (std::size_t bin = 0; bin < levels[level].size(); ++bin) {
      levels[level][bin] += levels[level - 1][bin];
    }
  }
  return levels;
}

}  // namespace

Line line_over_time(std::string label, const std::vector<double>& values, const TimeBins& bins) {
  Line line{std::move(label), {}};
  for (std::size_t bin = 0; bin < values.size(); ++bin) {
    line.points.push_back({start_of(bin, bins), values[bin]});
  }
  if (!values.empty()) line.points.push_back({bins.end_s, values.back()});
  return line;
}

LinePlot in_system_plot() {
  return over_time("requests_in_system", "Requests in the system over time",
                   "requests waiting or running", "requests");
}

LinePlot queue_length_plot() {
  return over_time("queue_length", "Queue length over time", "requests outside the batch",
                   "waiting");
}

LinePlot kv_use_plot(std::optional<double> pool) {
  LinePlot plot = over_time("kv_use", "KV memory in use over time",
                            "KV blocks in use on the device", "kv_blocks_used");
  plot.guide = pool;
  return plot;
}

void draw_levels(const std::filesystem::path& folder, const std::string& name,
                 const std::string& label, const std::vector<std::vector<double>>& levels,
                 const TimeBins& bins) {
  const auto sums = stacked(levels);
  const double most = *std::max_element(sums.back().begin(), sums.back().end());
  std::string script =
      "set xlabel \"time (s)\\n\"\nset ylabel 'live requests'\nset style fill solid 1 noborder\n" +
      fmt::format("set xrange [0:{:g}]\nset yrange [0:{:g}]\n", bins.end_s,
                  most > 0 ? most * 1.05 : 1) +
      "plot ";
  for (std::size_t level = 0; level < levels.size(); ++level) {
    const bool deepest = level + 1 == kLevelsShown;
    script += fmt::format("{}'-' using 1:2:3 with filledcurves lc rgb '{}' title 'level {}{}'",
                          level > 0 ? ", " : "", kLevelColours[level], level,
                          deepest ? " and deeper" : "");
  }
  script += "\n";
  for (std::size_t level = 0; level < levels.size(); ++level) {
    for (std::size_t bin = 0; bin < bins.count; ++bin) {
      const std::string band =
          fmt::format(" {} {}\n", level > 0 ? format_number(sums[level - 1][bin]) : "0",
                      format_number(sums[level][bin]));
      // Two points make the bin's step.
      script += format_number(start_of(bin, bins)) + band;
      script += format_number(start_of(bin + 1, bins)) + band;
    }
    script += "e\n";
  }
  draw_plot(folder, {name, "Requests by queue level: " + label, script, levels.size() / 3 + 1},
            levels_csv(label, levels, bins));
}

}  // namespace tokenyard
