#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace tokenyard {

/// Draws a cost model file into `folder` (created where missing): the time of an iteration against
/// a prompt's tokens, the sequences of a batch and their context, in plots/ as PNG, SVG and PDF
/// with the data as CSV, and report.html, one page that needs nothing else. Of a table the points
/// are those measured, with two beyond them, and the form beyond it is drawn beside it. `data` is
/// the folder with model and device files. Returns the files written, relative to `folder`. Throws
/// `InputError`, also where gnuplot is missing.
std::vector<std::string> write_cost_report(const std::string& file,
                                           const std::filesystem::path& data,
                                           const std::filesystem::path& folder);

}  // namespace tokenyard
