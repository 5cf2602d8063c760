#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace tokenyard {

/// Reads a result folder and writes `plots/` (PNG, SVG and data) and report.html into it. Returns
/// the files written, relative to the folder. Throws `InputError` for a folder that is not as
/// `run` and `sweep` write it, a missing gnuplot, and what cannot be written.
std::vector<std::string> write_report(const std::filesystem::path& folder);

}  // namespace tokenyard
