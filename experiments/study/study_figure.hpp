#pragma once
// What the page of a study shows of one figure, but for its drawing.

#include <string>
#include <vector>

#include "experiments/report/line_plot.hpp"
#include "experiments/report/published.hpp"
#include "experiments/study/seeded_line.hpp"
#include "experiments/study/study.hpp"

namespace tokenyard {

/// The plot of a figure (name, title, axes).
LinePlot study_plot(const StudyFigure& figure);

/// A ratio with its verdict, as a row of the page's first table.
struct RatioRow {
  std::string figure, what;
  Interval ours;
  std::optional<double> published;
  std::optional<std::pair<double, double>> range;

  bool within() const {
    return range && ours.mean && *ours.mean >= range->first && *ours.mean <= range->second;
  }
};

/// The figure's ratios. Throws `InputError` where one names a line that is not shown.
std::vector<RatioRow> ratio_rows(const StudyFigure& figure, const std::vector<SeededLine>& ours,
                                 const std::vector<Line>& published);

/// A table of ratios; nothing without any.
std::string ratios_html(const std::vector<RatioRow>& rows, bool name_figures);

/// A table of where each line crosses the figure's bound, ours and published.
std::string crossings_html(const StudyFigure& figure, const std::vector<SeededLine>& ours,
                           const std::vector<Line>& published);

/// One metric of a figure that is a table.
struct TableColumn {
  std::string metric;
  std::vector<SeededLine> ours;
  std::vector<Line> published;
};

/// A row each line and place on the x axis: our mean with its interval, and what was published.
std::string table_html(const StudyFigure& figure, const std::vector<TableColumn>& columns);

}  // namespace tokenyard
