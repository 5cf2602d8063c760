#include "experiments/report/plots.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "experiments/report/gnuplot.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace fs = std::filesystem;

namespace {

struct Plot {
  std::string name, title, y_label;
  bool complement = false;
};

struct Curve {
  std::string label;
  std::vector<CurvePoint> points;
};

/// Ranks (from 0, ascending) to keep: evenly spread ones, and from the largest sample downwards
/// first all, then ever fewer.
std::vector<std::size_t> kept_ranks(std::size_t count, std::size_t points_max) {
  std::set<std::size_t> ranks;
  if (count <= points_max) {
    for (std::size_t i = 0; i < count; ++i) ranks.insert(i);
  } else {
    const std::size_t half = std::max<std::size_t>(2, points_max / 2);
    for (std::size_t i = 0; i < half; ++i) ranks.insert(i * (count - 1) / (half - 1));
    // Steps from the end grow by a fifth of a percent, at least by one: that reaches any count
    // within `half` points or so.
    double from_end = 0;
    const double growth =
        std::max(1.01, std::pow(static_cast<double>(count), 2.0 / static_cast<double>(points_max)));
    while (from_end < static_cast<double>(count)) {
      ranks.insert(count - 1 - static_cast<std::size_t>(from_end));
      from_end = std::max(from_end + 1, from_end * growth);
    }
  }
  return {ranks.begin(), ranks.end()};
}

std::vector<CurvePoint> curve_points(std::vector<double> values, std::size_t points_max,
                                     bool complement) {
  std::sort(values.begin(), values.end());
  const std::size_t count = values.size();
  std::vector<CurvePoint> points;
  for (const std::size_t rank : kept_ranks(count, points_max)) {
    const std::size_t below = complement ? count - rank : rank + 1;
    points.push_back({values[rank], static_cast<double>(below) / static_cast<double>(count)});
  }
  // Of equal values only the one that counts them all.
  const auto same = [](const CurvePoint& a, const CurvePoint& b) { return a.value == b.value; };
  if (complement) {
    points.erase(std::unique(points.begin(), points.end(), same), points.end());
  } else {
    points.erase(points.begin(), std::unique(points.rbegin(), points.rend(), same).base());
  }
  return points;
}

std::string csv_of(const std::vector<Curve>& curves) {
  std::string text = "label,jct_s,fraction\n";
  for (const Curve& curve : curves) {
    const std::string label = csv_field(curve.label);
    for (const CurvePoint& point : curve.points) {
      text += fmt::format("{},{},{}\n", label, format_number(point.value),
                          format_number(point.fraction));
    }
  }
  return text;
}

/// What the axes span: exactly the data, so that no room is lost to the next decade.
struct Span {
  double least = 0, most = 0;  ///< seconds
  double least_fraction = 1;
};

Span span_of(const std::vector<Curve>& curves) {
  Span span{curves.front().points.front().value, 0, 1};
  for (const Curve& curve : curves) {
    span.least = std::min(span.least, curve.points.front().value);
    span.most = std::max(span.most, curve.points.back().value);
    span.least_fraction = std::min(span.least_fraction, curve.points.back().fraction);
  }
  constexpr double kMargin = 1.08;
  span.least /= kMargin;
  span.most *= kMargin;
  span.least_fraction /= kMargin;
  return span;
}

std::string script_of(const Plot& plot, const std::vector<Curve>& curves) {
  const Span span = span_of(curves);
  std::string script = "set xlabel \"job completion time (s)\\n\"\nset ylabel " +
                       gnuplot_quoted(plot.y_label) + "\nset logscale x 10\nset mxtics 10\n" +
                       fmt::format("set xrange [{:g}:{:g}]\n", span.least, span.most);
  if (const std::string ticks = log_ticks(span.least, span.most); !ticks.empty()) {
    script += "set xtics (" + ticks + ")\n";
  }
  if (plot.complement) {
    script += "set logscale y 10\nset format y '%g'\nset mytics 10\n" +
              fmt::format("set yrange [{:g}:1]\n", span.least_fraction);
  } else {
    script += "set yrange [0:1]\nset ytics 0.1\n";
  }
  for (std::size_t i = 0; i < curves.size(); ++i) {
    // Above a point's value the complement has fallen already: its steps go down first.
    script += fmt::format("{} '-' using 1:2 with {} {} title {}", i > 0 ? "," : "plot",
                          plot.complement ? "fsteps" : "steps", curve_style(i),
                          gnuplot_quoted(curves[i].label));
  }
  script += "\n";
  const auto send = [&](double value, double fraction) {
    script += format_number(value) + " " + format_number(fraction) + "\n";
  };
  for (const Curve& curve : curves) {
    // Both functions go on beyond the samples: 0 or 1 before the first and after the last.
    send(plot.complement ? span.least : curve.points.front().value, plot.complement ? 1 : 0);
    for (const CurvePoint& point : curve.points) send(point.value, point.fraction);
    if (!plot.complement) send(span.most, 1);
    if (plot.complement) send(curve.points.back().value, span.least_fraction);
    script += "e\n";
  }
  return script;
}

}  // namespace

std::vector<CurvePoint> cdf_points(std::vector<double> values, std::size_t points_max) {
  return curve_points(std::move(values), points_max, false);
}

std::vector<CurvePoint> ccdf_points(std::vector<double> values, std::size_t points_max) {
  return curve_points(std::move(values), points_max, true);
}

std::vector<std::string> draw_jct_plots(const fs::path& folder,
                                        const std::vector<PlotSamples>& samples) {
  const Plot plots[] = {{"jct_cdf", "Job completion time: distribution (CDF)",
                         "fraction of requests within this time", false},
                        {"jct_ccdf", "Job completion time: tail (CCDF)",
                         "fraction of requests at or above this time", true}};
  std::vector<std::string> names;
  for (const Plot& plot : plots) {
    std::vector<Curve> curves;
    for (const PlotSamples& sample : samples) {
      std::vector<double> values = sample.values;
      std::erase_if(values, [](double value) { return !(value > 0); });
      if (values.empty()) continue;
      curves.push_back({sample.label, curve_points(std::move(values), 2000, plot.complement)});
    }
    if (curves.empty()) return names;
    draw_plot(folder, {plot.name, plot.title, script_of(plot, curves), curves.size()},
              csv_of(curves));
    names.push_back(plot.name);
  }
  return names;
}

}  // namespace tokenyard
