#include "experiments/study/study_page.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "experiments/report/html.hpp"
#include "experiments/report/html_tables.hpp"
#include "experiments/report/published.hpp"
#include "experiments/report/report.hpp"
#include "experiments/study/study_figure.hpp"
#include "experiments/study/study_lines.hpp"

namespace tokenyard {

namespace fs = std::filesystem;

namespace {

std::string paragraphs(const std::vector<std::string>& texts) {
  std::string html;
  for (const std::string& text : texts) html += "<p>" + html_escaped(text) + "</p>\n";
  return html;
}

/// The rows of all sweeps of a figure.
std::vector<Summary> rows_of(const StudyFigure& figure, const std::vector<StudySweep>& sweeps) {
  std::vector<Summary> rows;
  for (const std::string& plan : figure.plans) {
    const auto sweep = std::ranges::find(sweeps, plan, &StudySweep::plan);
    if (sweep == sweeps.end()) continue;
    rows.insert(rows.end(), sweep->summaries.begin(), sweep->summaries.end());
  }
  return rows;
}

/// "20 to 400 requests a run, 20 seeds."
std::string size_of(const std::vector<Summary>& rows) {
  double least = 0, most = 0;
  std::vector<std::uint64_t> seeds;
  for (const Summary& row : rows) {
    const double requests = row.value("requests").value_or(0);
    least = most == 0 ? requests : std::min(least, requests);
    most = std::max(most, requests);
    if (std::ranges::find(seeds, row.key.seed) == seeds.end()) seeds.push_back(row.key.seed);
  }
  const std::string count =
      least == most ? fmt::format("{:g}", most) : fmt::format("{:g} to {:g}", least, most);
  return fmt::format("{} requests a run, {} seed{}; bars are 95 % intervals over the seeds.", count,
                     seeds.size(), seeds.size() == 1 ? "" : "s");
}

/// Writes the page part by part.
class PageWriter {
 public:
  PageWriter(fs::path folder, const Study& study, const std::vector<StudySweep>& sweeps)
      : folder_(std::move(folder)), study_(study), sweeps_(sweeps) {}

  void add(const StudyFigure& figure) {
    const std::vector<Summary> rows = rows_of(figure, sweeps_);
    Published published;
    if (!figure.published.empty()) published = read_published(study_.folder / figure.published);
    parts_ += "<h2>" + html_escaped(figure.title) + "</h2>\n" + paragraphs(figure.notes);
    if (figure.published.empty()) {
      parts_ +=
          "<p class=\"note\">No published points are at hand: what follows is a prediction.</p>\n";
    }
    figure.table.empty() ? add_plot(figure, rows, published.of(figure.metric))
                         : add_table(figure, rows, published);
  }

  /// Tells of a figure that is not on the page.
  void leave_out(const StudyFigure& figure) {
    left_out_ +=
        fmt::format("<li>{} (<code>--figure {}</code>{})</li>\n", html_escaped(figure.title),
                    html_escaped(figure.name), figure.slow ? ", takes minutes" : "");
  }

  void write() const {
    std::string text = html_beginning(study_.title) + "<p class=\"note\">" +
                       html_escaped(study_.source) + "</p>\n" + paragraphs(study_.notes);
    if (!ratios_.empty()) text += "<h2>Ratios</h2>\n" + ratios_html(ratios_, true);
    text += parts_;
    if (!left_out_.empty()) text += "<h2>Not run here</h2>\n<ul>\n" + left_out_ + "</ul>\n";
    text += configuration() + "</body>\n</html>\n";
    write_page(folder_, text);
  }

  const std::vector<std::string>& plots() const { return plots_; }

 private:
  void add_plot(const StudyFigure& figure, const std::vector<Summary>& rows,
                const std::vector<Line>& published) {
    const std::vector<SeededLine> ours = study_lines(figure, rows, figure.metric);
    std::vector<Line> means;
    for (const SeededLine& line : ours) means.push_back(line.means());
    if (draw_lines(folder_ / "plots", study_plot(figure), beside_published(means, published))) {
      plots_.push_back(figure.name);
      parts_ += figure_html(
          {figure.name, size_of(rows), file_contents(folder_ / "plots" / (figure.name + ".svg"))});
    }
    parts_ += crossings_html(figure, ours, published);
    const std::vector<RatioRow> ratios = ratio_rows(figure, ours, published);
    parts_ += ratios_html(ratios, false);
    ratios_.insert(ratios_.end(), ratios.begin(), ratios.end());
  }

  void add_table(const StudyFigure& figure, const std::vector<Summary>& rows,
                 const Published& published) {
    std::vector<TableColumn> columns;
    for (const std::string& metric : figure.table) {
      columns.push_back({metric, study_lines(figure, rows, metric), published.of(metric)});
    }
    parts_ += table_html(figure, columns) + "<p class=\"note\">" + size_of(rows) + "</p>\n";
  }

  std::string configuration() const {
    std::string text = "<h2>Configuration</h2>\n";
    for (const StudySweep& sweep : sweeps_) {
      text += fmt::format("<details>\n<summary>{}</summary>\n<pre>{}</pre>\n",
                          html_escaped(sweep.plan), html_escaped(sweep.text));
      for (const std::string& note : sweep.notes) {
        text += "<p class=\"note\">" + html_escaped(note) + "</p>\n";
      }
      text += "</details>\n";
    }
    return text;
  }

  fs::path folder_;
  const Study& study_;
  const std::vector<StudySweep>& sweeps_;
  std::string parts_, left_out_;
  std::vector<RatioRow> ratios_;
  std::vector<std::string> plots_;
};

}  // namespace

std::vector<std::string> write_study_page(const fs::path& folder, const Study& study,
                                          const std::vector<StudyFigure>& figures,
                                          const std::vector<StudySweep>& sweeps) {
  PageWriter page(folder, study, sweeps);
  for (const StudyFigure& figure : figures) page.add(figure);
  for (const StudyFigure& figure : study.figures) {
    const auto shown = std::ranges::find(figures, figure.name, &StudyFigure::name);
    if (shown == figures.end()) page.leave_out(figure);
  }
  page.write();
  std::vector<std::string> written;
  for (const std::string& plot : page.plots()) {
    for (const char* ending : {".png", ".svg", ".pdf", ".csv"}) {
      written.push_back("plots/" + plot + ending);
    }
  }
  written.emplace_back("report.html");
  return written;
}

}  // namespace tokenyard
