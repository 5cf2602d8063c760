#include "experiments/study/study_figure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "experiments/report/html_tables.hpp"
#include "experiments/report/rate_plot.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

constexpr const char* kOpen = "<div class=\"wide\"><table>\n<thead><tr>";
constexpr const char* kRows = "</tr></thead>\n<tbody>\n";
constexpr const char* kClose = "</tbody></table></div>\n";
constexpr const char* kNone = "–";

std::string number(const std::optional<double>& value) {
  return value ? fmt::format("{:.4g}", *value) : kNone;
}

std::string with_interval(const Interval& interval) {
  std::string text = number(interval.mean);
  // Equal values have a spread of rounding.
  if (interval.half_width && *interval.half_width > 1e-9 * std::abs(*interval.mean)) {
    text += fmt::format(" <span class=\"pm\">± {:.2g}</span>", *interval.half_width);
  }
  return text;
}

std::string head(std::initializer_list<std::string> names) {
  std::string text = kOpen;
  for (const std::string& name : names) text += "<th>" + name + "</th>";
  return text + kRows;
}

const Line* find_line(const std::vector<Line>& lines, const std::string& label) {
  const auto found = std::ranges::find(lines, label, &Line::label);
  return found == lines.end() ? nullptr : &*found;
}

const SeededLine& require_line(const StudyFigure& figure, const std::vector<SeededLine>& lines,
                               const std::string& label) {
  const auto found = std::ranges::find(lines, label, &SeededLine::label);
  if (found == lines.end()) {
    throw InputError(fmt::format("figure '{}': a ratio names '{}', which is not shown", figure.name,
                                 printable(label)));
  }
  return *found;
}

std::optional<double> published_crossing(const std::vector<Line>& lines, const std::string& label,
                                         double bound) {
  const Line* line = find_line(lines, label);
  return line == nullptr ? std::nullopt : first_crossing(line->points, bound);
}

/// Why a line has no crossing.
std::string uncrossed(const std::vector<LinePoint>& points, double bound) {
  if (points.empty()) return kNone;
  return points.front().y >= bound ? fmt::format("below {:.4g}", points.front().x)
                                   : fmt::format("above {:.4g}", points.back().x);
}

/// The published value at a place, where there is one.
std::optional<double> value_at(const Line* line, double x) {
  if (line == nullptr) return std::nullopt;
  const auto found = std::ranges::find(line->points, x, &LinePoint::x);
  return found == line->points.end() ? std::nullopt : std::optional(found->y);
}

/// "mean normalized latency (s/token)" of "mean_normalized_latency_s".
std::string metric_words(std::string metric) {
  std::string unit;
  if (metric.ends_with("_s")) {
    unit = metric.ends_with("normalized_latency_s") ? " (s/token)" : " (s)";
    metric.resize(metric.size() - 2);
  }
  std::ranges::replace(metric, '_', ' ');
  return metric + unit;
}

std::string table_head(const StudyFigure& figure, const std::vector<TableColumn>& columns) {
  std::string text = kOpen + std::string("<th>line</th>");
  if (!figure.x_label.empty()) text += "<th>" + html_escaped(figure.x_label) + "</th>";
  for (const TableColumn& column : columns) {
    text += "<th>" + metric_words(column.metric) + "</th>";
    if (!column.published.empty()) text += "<th>published</th>";
  }
  return text + kRows;
}

}  // namespace

LinePlot study_plot(const StudyFigure& figure) {
  LinePlot plot = latency_rate_plot();
  plot.name = figure.name;
  plot.title = figure.title;
  if (!figure.variant_axis.empty()) {
    plot.x_label = figure.x_label;
    plot.x_column = figure.variant_axis;
  }
  plot.log_x = figure.log_x;
  plot.y_label = metric_words(figure.metric);
  plot.y_column = figure.metric;
  plot.log_y = figure.y_most == 0;
  plot.y_most = figure.y_most;
  plot.guide = figure.bound;
  return plot;
}

std::vector<RatioRow> ratio_rows(const StudyFigure& figure, const std::vector<SeededLine>& ours,
                                 const std::vector<Line>& published) {
  std::vector<RatioRow> rows;
  for (const StudyRatio& ratio : figure.ratios) {
    const SeededLine& of = require_line(figure, ours, ratio.of);
    const SeededLine& to = require_line(figure, ours, ratio.to);
    RatioRow row{figure.title, fmt::format("{} : {}", ratio.of, ratio.to),
                 crossing_ratio(of, to, *figure.bound), ratio.published, ratio.range};
    const auto upper = published_crossing(published, ratio.of, *figure.bound);
    const auto lower = published_crossing(published, ratio.to, *figure.bound);
    if (!row.published && upper && lower && *lower > 0) row.published = *upper / *lower;
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string ratios_html(const std::vector<RatioRow>& rows, bool name_figures) {
  if (rows.empty()) return {};
  std::string text =
      head({"ratio of rates at the bound", "ours", "published", "expected", "within"});
  for (const RatioRow& row : rows) {
    const std::string what = name_figures ? row.figure + ": " + row.what : row.what;
    text += fmt::format(
        "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n", html_escaped(what),
        with_interval(row.ours), number(row.published),
        row.range ? fmt::format("{:g}–{:g}", row.range->first, row.range->second) : kNone,
        row.range ? (row.within() ? "yes" : "<b>no</b>") : kNone);
  }
  return text + kClose;
}

std::string crossings_html(const StudyFigure& figure, const std::vector<SeededLine>& ours,
                           const std::vector<Line>& published) {
  if (!figure.bound) return {};
  const std::string what =
      fmt::format("highest rate at {:g} = {}", *figure.bound, metric_words(figure.metric));
  std::string text = head({what, "ours (requests/s)", "published"});
  for (const SeededLine& line : ours) {
    const Interval at = crossing(line, *figure.bound);
    const Line* theirs = find_line(published, line.label);
    const auto crossed = published_crossing(published, line.label, *figure.bound);
    text += fmt::format(
        "<tr><td>{}</td><td>{}</td><td>{}</td></tr>\n", html_escaped(line.label),
        at.mean ? with_interval(at) : uncrossed(line.means().points, *figure.bound),
        crossed || theirs == nullptr ? number(crossed) : uncrossed(theirs->points, *figure.bound));
  }
  return text + kClose;
}

std::string table_html(const StudyFigure& figure, const std::vector<TableColumn>& columns) {
  std::string text = table_head(figure, columns);
  for (std::size_t i = 0; i < columns.front().ours.size(); ++i) {
    for (const auto& [x, unused] : columns.front().ours[i].values) {
      text += "<tr><td>" + html_escaped(columns.front().ours[i].label) + "</td>";
      if (!figure.x_label.empty()) text += fmt::format("<td>{:g}</td>", x);
      for (const TableColumn& column : columns) {
        const SeededLine& line = column.ours[i];
        const Line means = line.means();
        const auto point = std::ranges::find(means.points, x, &LinePoint::x);
        const bool there = point != means.points.end();
        text += fmt::format("<td>{}</td>",
                            there ? with_interval({point->y, point->half_width}) : kNone);
        if (column.published.empty()) continue;
        text += fmt::format("<td>{}</td>",
                            number(value_at(find_line(column.published, line.label), x)));
      }
      text += "</tr>\n";
    }
  }
  return text + kClose;
}

}  // namespace tokenyard
