#include "experiments/report/rate_plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "experiments/report/gnuplot.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

constexpr const char* kMetric = "mean_normalized_latency_s";

/// A row's label without seed and rate.
std::string curve_label(const SummaryKey& key) {
  std::string label = key.series;
  if (key.request_rate) {
    const std::string ending = " rate=" + format_number(*key.request_rate);
    if (label.ends_with(ending)) label.resize(label.size() - ending.size());
  }
  return label + (key.clairvoyant ? " (clairvoyant)" : "");
}

std::string csv_of(const std::vector<RateCurve>& curves) {
  std::string text = fmt::format("label,request_rate,{0},{0}_ci95_half_width\n", kMetric);
  for (const RateCurve& curve : curves) {
    for (const RatePoint& point : curve.points) {
      const auto& half_width = point.latency.half_width;
      text += fmt::format("{},{},{},{}\n", csv_field(curve.label), format_number(point.rate),
                          format_number(*point.latency.mean),
                          half_width ? format_number(*half_width) : "");
    }
  }
  return text;
}

/// The ends of a point's bar; without an interval both are the mean.
std::pair<double, double> bar_of(const RatePoint& point) {
  const double mean = *point.latency.mean;
  const double half_width = point.latency.half_width.value_or(0);
  // A log axis has no zero: a bar that would reach it ends below all else.
  return {std::max(mean - half_width, mean / 10), mean + half_width};
}

std::string axes(const std::vector<RateCurve>& curves) {
  double last_rate = 0, most = 0;
  double least = *curves.front().points.front().latency.mean;
  for (const RateCurve& curve : curves) {
    last_rate = std::max(last_rate, curve.points.back().rate);
    for (const RatePoint& point : curve.points) {
      least = std::min(least, bar_of(point).first);
      most = std::max(most, bar_of(point).second);
    }
  }
  constexpr double kMargin = 1.15;
  least /= kMargin;
  most *= kMargin;
  std::string script =
      "set xlabel \"request rate (requests/s)\\n\"\n"
      "set ylabel 'mean normalized latency (s/token)'\n"
      "set logscale y 10\nset mytics 10\n" +
      fmt::format("set xrange [0:{:g}]\nset yrange [{:g}:{:g}]\n", last_rate * 1.03, least, most);
  if (const std::string ticks = log_ticks(least, most); !ticks.empty()) {
    script += "set ytics (" + ticks + ")\n";
  }
  return script;
}

std::string script_of(const std::vector<RateCurve>& curves) {
  std::string script = axes(curves) + "plot ";
  for (std::size_t i = 0; i < curves.size(); ++i) {
    // Lines first and points with bars over them, so that dashes do not break the bars.
    const std::string style = curve_style(i);
    const std::string points = fmt::format("pt {} ps 1.2", 4 + i % 10);
    script += fmt::format(
        "{}'-' using 1:2 with lines {} notitle, '-' using 1:2:3:4 with yerrorbars {} dt 1 lw 1.2 "
        "{} notitle, keyentry with linespoints {} {} title {}",
        i > 0 ? ", " : "", style, curve_colour(i), points, style, points,
        gnuplot_quoted(curves[i].label));
  }
  script += "\n";
  for (const RateCurve& curve : curves) {
    std::string bars;
    for (const RatePoint& point : curve.points) {
      const std::string place =
          format_number(point.rate) + " " + format_number(*point.latency.mean);
      const auto [low, high] = bar_of(point);
      script += place + "\n";
      bars += fmt::format("{} {} {}\n", place, format_number(low), format_number(high));
    }
    script += "e\n" + bars + "e\n";
  }
  return script;
}

}  // namespace

std::vector<RateCurve> rate_curves(std::span<const Summary> summaries) {
  std::set<double> rates;
  std::vector<std::string> labels;
  std::map<std::string, std::map<double, std::vector<double>>> samples;
  for (const Summary& summary : summaries) {
    const auto latency = summary.value(kMetric);
    if (!summary.key.request_rate || !latency || *latency <= 0) continue;
    const std::string label = curve_label(summary.key);
    if (samples.find(label) == samples.end()) labels.push_back(label);
    samples[label][*summary.key.request_rate].push_back(*latency);
    rates.insert(*summary.key.request_rate);
  }
  std::vector<RateCurve> curves;
  if (rates.size() < 2) return curves;
  for (const std::string& label : labels) {
    RateCurve& curve = curves.emplace_back(RateCurve{label, {}});
    for (const auto& [rate, latencies] : samples[label]) {
      curve.points.push_back({rate, t_interval_95(latencies)});
    }
  }
  return curves;
}

std::vector<std::string> draw_rate_plot(const std::filesystem::path& folder,
                                        const std::vector<RateCurve>& curves) {
  if (curves.empty()) return {};
  draw_plot(folder,
            {"latency_vs_rate", "Latency against request rate", script_of(curves), curves.size()},
            csv_of(curves));
  return {"latency_vs_rate"};
}

}  // namespace tokenyard
