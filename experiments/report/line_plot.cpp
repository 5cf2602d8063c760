#include "experiments/report/line_plot.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "experiments/report/gnuplot.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

/// The ends of a point's bar; without an interval both are the point.
std::pair<double, double> bar_of(const LinePlot& plot, const LinePoint& point) {
  const double half_width = point.half_width.value_or(0);
  const double low = point.y - half_width;
  // A log axis has no zero: a bar that would reach it ends below all else. On others a bar of what
  // cannot be negative ends at the axis.
  const double floor = plot.log_y ? point.y / 10 : std::min(0.0, point.y);
  return {std::max(low, floor), point.y + half_width};
}

std::vector<Line> drawable(const LinePlot& plot, const std::vector<Line>& lines) {
  std::vector<Line> kept;
  for (const Line& line : lines) {
    Line drawn{line.label, {}, line.style, line.reference};
    for (const LinePoint& point : line.points) {
      if ((plot.log_y && !(point.y > 0)) || (plot.log_x && !(point.x > 0))) continue;
      drawn.points.push_back(point);
    }
    if (!drawn.points.empty()) kept.push_back(std::move(drawn));
  }
  return kept;
}

/// What the axes span.
struct Span {
  double x_least, x_most, y_least, y_most;
};

Span span_of(const LinePlot& plot, const std::vector<Line>& lines) {
  const LinePoint& first = lines.front().points.front();
  Span span{first.x, first.x, first.y, first.y};
  const auto include = [&](double y) {
    span.y_least = std::min(span.y_least, y);
    span.y_most = std::max(span.y_most, y);
  };
  for (const Line& line : lines) {
    span.x_least = std::min(span.x_least, line.points.front().x);
    span.x_most = std::max(span.x_most, line.points.back().x);
    for (const LinePoint& point : line.points) {
      const auto [low, high] = bar_of(plot, point);
      include(low);
      include(high);
    }
  }
  if (plot.guide) include(*plot.guide);
  constexpr double kMargin = 1.15;
  if (plot.log_y) {
    span.y_least /= kMargin;
    span.y_most *= kMargin;
  } else {
    span.y_least = std::min(0.0, span.y_least);
    span.y_most = span.y_most > 0 ? span.y_most * 1.05 : 1;
    if (plot.y_most > 0) span.y_most = std::min(span.y_most, plot.y_most);
  }
  if (plot.log_x) {
    span.x_least /= kMargin;
    span.x_most *= kMargin;
  } else {
    span.x_least = std::min(0.0, span.x_least);
    if (plot.markers) span.x_most *= 1.03;
    if (!(span.x_most > span.x_least)) span.x_most = span.x_least + 1;
  }
  return span;
}

std::string log_axis(const char* axis, double least, double most) {
  std::string script = fmt::format("set logscale {0} 10\nset m{0}tics 10\n", axis);
  if (const std::string ticks = log_ticks(least, most); !ticks.empty()) {
    script += fmt::format("set {}tics ({})\n", axis, ticks);
  }
  return script;
}

std::string axes(const LinePlot& plot, const std::vector<Line>& lines) {
  Span span = span_of(plot, lines);
  if (!plot.x_names.empty()) {
    span.x_least = -0.5;
    span.x_most = static_cast<double>(plot.x_names.size()) - 0.5;
  }
  // The line break keeps the legend, which stands below, at a distance.
  std::string script = "set xlabel " + gnuplot_quoted(plot.x_label) + ".\"\\n\"\nset ylabel " +
                       gnuplot_quoted(plot.y_label) + "\n";
  script += fmt::format("set xrange [{:g}:{:g}]\nset yrange [{:g}:{:g}]\n", span.x_least,
                        span.x_most, span.y_least, span.y_most);
  if (plot.log_x) script += log_axis("x", span.x_least, span.x_most);
  if (plot.log_y) script += log_axis("y", span.y_least, span.y_most);
  for (std::size_t i = 0; i < plot.x_names.size(); ++i) {
    script +=
        fmt::format("{}{} {}{}", i == 0 ? "set xtics (" : ", ", gnuplot_quoted(plot.x_names[i]), i,
                    i + 1 == plot.x_names.size() ? ")\n" : "");
  }
  if (plot.guide) {
    script += fmt::format(
        "set arrow from graph 0, first {0:g} to graph 1, first {0:g} nohead lw 1 "
        "lc rgb '#555555'\n",
        *plot.guide);
  }
  return script;
}

/// Lines first and points with bars over them, so that dashes do not break the bars.
std::string script_of(const LinePlot& plot, const std::vector<Line>& lines) {
  std::string script = axes(plot, lines) + "plot ";
  if (plot.diagonal) script += "x with lines lw 1 lc rgb '#555555' notitle, ";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::size_t number = lines[i].style.value_or(i);
    const std::string style =
        lines[i].reference ? "lw 1.2 " + curve_colour(number) + " dt (3,5)" : curve_style(number);
    const std::string title = gnuplot_quoted(lines[i].label);
    if (i > 0) script += ", ";
    if (!plot.markers) {
      script += fmt::format("'-' using 1:2 with steps {} title {}", style, title);
      continue;
    }
    // References have plus, cross and star; ours have what encloses an area.
    const std::size_t shape = lines[i].reference ? 1 + number % 3 : 4 + number % 10;
    const std::string points = fmt::format("pt {} ps 1.2", shape);
    const bool joined = plot.x_names.empty();
    if (joined) script += fmt::format("'-' using 1:2 with lines {} notitle, ", style);
    script += fmt::format(
        "'-' using 1:2:3:4 with yerrorbars {} dt 1 lw 1.2 {} notitle, keyentry with {} {} {} title "
        "{}",
        curve_colour(number), points, joined ? "linespoints" : "points",
        joined ? style : curve_colour(number), points, title);
  }
  script += "\n";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    // Side by side, where x is a name.
    const double shift =
        plot.x_names.empty()
            ? 0
            : 0.5 * (static_cast<double>(i + 1) / static_cast<double>(lines.size() + 1) - 0.5);
    std::string bars;
    for (const LinePoint& point : lines[i].points) {
      const std::string place = format_number(point.x + shift) + " " + format_number(point.y);
      const auto [low, high] = bar_of(plot, point);
      if (plot.x_names.empty()) script += place + "\n";
      bars += fmt::format("{} {} {}\n", place, format_number(low), format_number(high));
    }
    if (plot.x_names.empty()) script += "e\n";
    if (plot.markers) script += bars + "e\n";
  }
  return script;
}

std::string csv_of(const LinePlot& plot, const std::vector<Line>& lines) {
  std::string text = fmt::format("label,{},{}", plot.x_column, plot.y_column);
  text += plot.markers ? fmt::format(",{}_ci95_half_width\n", plot.y_column) : "\n";
  for (const Line& line : lines) {
    const std::string label = csv_field(line.label);
    for (const LinePoint& point : line.points) {
      const auto place = static_cast<std::size_t>(point.x);
      text += fmt::format(
          "{},{},{}", label,
          plot.x_names.empty() ? format_number(point.x) : csv_field(plot.x_names[place]),
          format_number(point.y));
      if (plot.markers) text += "," + (point.half_width ? format_number(*point.half_width) : "");
      text += "\n";
    }
  }
  return text;
}

}  // namespace

bool draw_lines(const std::filesystem::path& folder, const LinePlot& plot,
                const std::vector<Line>& lines) {
  const std::vector<Line> drawn = drawable(plot, lines);
  if (drawn.empty()) return false;
  draw_plot(folder, {plot.name, plot.title, script_of(plot, drawn), drawn.size()},
            csv_of(plot, drawn));
  return true;
}

}  // namespace tokenyard
