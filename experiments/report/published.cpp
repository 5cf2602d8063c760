#include "experiments/report/published.hpp"

#include <algorithm>
#include <utility>

#include "experiments/record/summary.hpp"
#include "experiments/report/result_csv.hpp"
#include "sim/kernel/input_error.hpp"

namespace tokenyard {

std::vector<Line> Published::of(const std::string& metric) const {
  const auto found = lines.find(metric);
  return found == lines.end() ? std::vector<Line>() : found->second;
}

Published read_published(const std::filesystem::path& file) {
  ResultCsv csv(file);
  const std::size_t label = csv.column("label"), x = 1;
  std::vector<std::pair<std::string, std::size_t>> columns;
  for (const std::string& metric : metric_names()) {
    if (csv.has_column(metric)) columns.emplace_back(metric, csv.column(metric));
  }
  if (columns.empty()) {
    throw InputError(file.string(), 1, "",
                     "no column is named like one of summary.csv, as mean_normalized_latency_s");
  }
  const auto early = [](const auto& column) { return column.second < 2; };
  if (label != 0 || std::ranges::any_of(columns, early)) {
    throw InputError(file.string(), 1, "",
                     "begins with a column 'label' and one for the x axis, then the metrics");
  }
  Published published;
  while (csv.next()) {
    const std::string name(csv.text(label));
    const double place = csv.number(x);
    for (const auto& [metric, column] : columns) {
      const auto value = csv.number_or_empty(column);
      if (!value) continue;
      std::vector<Line>& lines = published.lines[metric];
      auto line = std::ranges::find(lines, name, &Line::label);
      if (line == lines.end()) line = lines.insert(line, Line{name, {}});
      if (!line->points.empty() && line->points.back().x >= place) {
        csv.refuse(x, "is not above that of the row before it");
      }
      line->points.push_back({place, *value});
    }
  }
  return published;
}

std::vector<Line> beside_published(const std::vector<Line>& ours,
                                   const std::vector<Line>& published) {
  std::vector<Line> lines;
  const auto add_published = [&lines](const Line& line, std::size_t style) {
    Line& reference = lines.emplace_back(line);
    reference.label += " (published)";
    reference.style = style;
    reference.reference = true;
  };
  for (std::size_t i = 0; i < ours.size(); ++i) {
    lines.push_back(ours[i]);
    lines.back().style = i;
    const auto same = std::ranges::find(published, ours[i].label, &Line::label);
    if (same != published.end()) add_published(*same, i);
  }
  std::size_t style = ours.size();
  for (const Line& line : published) {
    if (std::ranges::find(ours, line.label, &Line::label) == ours.end()) {
      add_published(line, style++);
    }
  }
  return lines;
}

}  // namespace tokenyard
