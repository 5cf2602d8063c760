#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "experiments/report/line_plot.hpp"

namespace tokenyard {

/// Points that others published, to be set beside our own. A value type.
struct Published {
  /// By metric (a column of the file), a line for each label in the order of first appearance.
  std::map<std::string, std::vector<Line>> lines;

  /// Of this metric; none where the file has no such column.
  std::vector<Line> of(const std::string& metric) const;
};

/// Reads a CSV file `label,x,METRIC,…`: label names the line, the second column (whatever its
/// name) is the place on the x axis, and each further one whose name is a metric of summary.csv
/// holds its values; an empty cell is no point. Other columns (sources, notes) are left alone.
/// Rows of one label stand by ascending x. Throws `InputError` with file, line and column.
Published read_published(const std::filesystem::path& file);

/// Our lines, each followed by the published one of the same name in the same colour, then what is
/// published only.
std::vector<Line> beside_published(const std::vector<Line>& ours,
                                   const std::vector<Line>& published);

}  // namespace tokenyard
