#include "experiments/report/rate_plot.hpp"

#include <map>
#include <set>

#include "experiments/statistics/interval.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

LinePlot rate_plot(const char* name, const char* title) {
  LinePlot plot;
  plot.name = name;
  plot.title = title;
  plot.x_label = "request rate (requests/s)";
  plot.x_column = "request_rate";
  return plot;
}

}  // namespace

std::string without_rate(const SummaryKey& key) {
  std::string label = key.series;
  if (key.request_rate) {
    const std::string ending = " rate=" + format_number(*key.request_rate);
    if (label.ends_with(ending)) label.resize(label.size() - ending.size());
  }
  return label + (key.clairvoyant ? " (clairvoyant)" : "");
}

std::size_t rate_count(std::span<const Summary> summaries) {
  std::set<double> rates;
  for (const Summary& summary : summaries) {
    if (summary.key.request_rate) rates.insert(*summary.key.request_rate);
  }
  return rates.size();
}

std::vector<Line> rate_lines(std::span<const Summary> summaries,
                             const std::function<std::optional<double>(std::size_t)>& value) {
  std::vector<std::string> labels;
  std::map<std::string, std::map<double, std::vector<double>>> samples;
  for (std::size_t i = 0; i < summaries.size(); ++i) {
    const SummaryKey& key = summaries[i].key;
    const auto sample = value(i);
    if (!key.request_rate || !sample) continue;
    const std::string label = without_rate(key);
    if (samples.find(label) == samples.end()) labels.push_back(label);
    samples[label][*key.request_rate].push_back(*sample);
  }
  std::vector<Line> lines;
  for (const std::string& label : labels) {
    Line& line = lines.emplace_back(Line{label, {}});
    for (const auto& [rate, values] : samples[label]) {
      const Interval interval = t_interval_95(values);
      line.points.push_back({rate, *interval.mean, interval.half_width});
    }
  }
  return lines;
}

LinePlot latency_rate_plot() {
  LinePlot plot = rate_plot("latency_vs_rate", "Latency against request rate");
  plot.y_label = "mean normalized latency (s/token)";
  plot.y_column = "mean_normalized_latency_s";
  plot.log_y = true;
  return plot;
}

LinePlot throughput_rate_plot() {
  LinePlot plot = rate_plot("throughput_vs_rate", "Throughput against request rate");
  plot.y_label = "requests completed (requests/s)";
  plot.y_column = "request_throughput";
  plot.diagonal = true;
  return plot;
}

}  // namespace tokenyard
