#include <cmath>

#include "experiments/report/line_plot.hpp"
#include "experiments/trace_stats/trace_stats.hpp"

namespace tokenyard {

namespace {

/// The share of requests with at most so many tokens.
std::vector<LinePoint> distribution(const ValueCounts& counts) {
  std::vector<LinePoint> points;
  std::int64_t before = 0;
  counts.for_each([&](std::int64_t tokens, std::int64_t times) {
    before += times;
    points.push_back({static_cast<double>(tokens),
                      static_cast<double>(before) / static_cast<double>(counts.total())});
  });
  return points;
}

std::vector<LinePoint> arrivals(const TraceStats& stats) {
  constexpr double kMinutesAnHour = 60;
  std::vector<LinePoint> points;
  std::int64_t next = 0;
  const auto add = [&](std::int64_t minute, std::int64_t count) {
    points.push_back(
        {static_cast<double>(minute) / kMinutesAnHour, static_cast<double>(count) / 60});
    next = minute + 1;
  };
  for (const auto& [minute, count] : stats.arrivals_a_minute) {
    if (minute > next) add(next, 0);
    add(minute, count);
  }
  add(next, 0);
  return points;
}

}  // namespace

void draw_trace_stats(const TraceStats& stats, const std::string& folder) {
  LinePlot plot;
  plot.name = "arrivals";
  plot.title = "Arrivals of " + stats.name + ", by minute";
  plot.x_label = "time (h)";
  plot.y_label = "requests/s";
  plot.x_column = "time_h";
  plot.y_column = "request_rate";
  plot.markers = false;
  draw_lines(folder, plot, {{stats.name, arrivals(stats)}});
  plot.name = "lengths";
  plot.title = "Lengths of " + stats.name;
  plot.x_label = "tokens";
  plot.y_label = "share of requests with at most so many";
  plot.x_column = "tokens";
  plot.y_column = "share";
  plot.log_x = true;
  draw_lines(folder, plot,
             {{"prompt", distribution(stats.input_counts)},
              {"output", distribution(stats.output_counts)}});
}

}  // namespace tokenyard
