#pragma once
// A study: sweeps that rerun somebody's evaluation, and how their page sets them beside what was
// published.

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tokenyard {

/// A line to show, by the label that the sweep gives it, under another name.
struct StudyLine {
  std::string label, shown;
};

/// A quotient of two lines: of the rates at which they cross the figure's bound.
struct StudyRatio {
  std::string of, to;                              ///< as shown
  std::optional<double> published;                 ///< where the published points do not give it
  std::optional<std::pair<double, double>> range;  ///< what is expected
};

/// One figure: lines of one or more sweeps, or a table of their numbers.
struct StudyFigure {
  std::string name;                ///< of its files
  std::string title;               ///< its headline
  std::vector<std::string> plans;  ///< sweep plans, in the study's folder
  std::string metric;              ///< of a plot: what is drawn, a metric of summary.csv
  std::vector<std::string> table;  ///< of a table: its columns, metrics of summary.csv
  std::string variant_axis;        ///< variants "KEY=NUMBER" make the x axis; empty: request rates
  std::string x_label;             ///< of the axis; empty: that of request rates
  std::vector<StudyLine> lines;    ///< in this order; empty: all
  std::string published;           ///< a CSV file in the study's folder; may be empty
  std::optional<double> bound;     ///< of the metric; a thin line, and rates are read off at it
  std::vector<StudyRatio> ratios;  ///< of these rates
  double y_most = 0;               ///< cuts off a linear y axis; 0: log y axis
  bool log_x = false;
  bool slow = false;               ///< takes minutes: only when asked for
  std::vector<std::string> notes;  ///< paragraphs
};

/// What `reproduce` carries out and shows. A value type.
struct Study {
  std::filesystem::path folder;
  std::string name;  ///< of its folder
  std::string text;  ///< the file as it was read
  std::string title, source;
  std::vector<std::string> notes;  ///< paragraphs
  std::vector<StudyFigure> figures;
};

/// Reads FOLDER/study.json, strictly: `InputError` names file, line and field. Plans and published
/// files are looked for, not read.
Study read_study(const std::filesystem::path& folder);

/// The folder of a study: the one that is named, or that of this name among the project's own.
std::filesystem::path find_study(const std::string& name);

/// The names of the project's own studies, sorted.
std::vector<std::string> study_names();

}  // namespace tokenyard
