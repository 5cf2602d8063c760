#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tokenyard {

/// A point of a line, with the half-width of its 95 % interval where there is one.
struct LinePoint {
  double x = 0;
  double y = 0;
  std::optional<double> half_width{};
};

struct Line {
  std::string label;
  std::vector<LinePoint> points;  ///< by ascending x
  /// The place in the row of colours and symbols; its place among the lines where it is empty.
  std::optional<std::size_t> style{};
  bool reference = false;  ///< from elsewhere: thin and dotted, with crosses
};

/// A plot of one number against another.
struct LinePlot {
  std::string name;   ///< of its files
  std::string title;  ///< above the axes
  std::string x_label, y_label;
  std::string x_column, y_column;  ///< their names in the data
  bool log_x = false;
  bool log_y = false;           ///< points that are not positive are left out
  bool markers = true;          ///< few points; else many, drawn as steps that last until the next
  std::optional<double> guide;  ///< a thin line at this y, which is inside the plot
  bool diagonal = false;        ///< a thin line y = x
  /// Names for x = 0, 1, 2, … where x is no number; lines then join nothing.
  std::vector<std::string> x_names;
  /// What lies above is cut off where the y axis is linear; 0: nothing is.
  double y_most = 0;
};

/// Draws it into `folder` (created where missing) as .png, .svg and .pdf, and writes what is drawn
/// as .csv: label,x,y and, with markers, y_ci95_half_width. False, and nothing is written, without
/// a point. Throws as `draw_plot`.
bool draw_lines(const std::filesystem::path& folder, const LinePlot& plot,
                const std::vector<Line>& lines);

}  // namespace tokenyard
