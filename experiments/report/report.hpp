#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "experiments/report/goodput.hpp"

namespace tokenyard {

/// The text of a file. Throws `InputError`.
std::string file_contents(const std::filesystem::path& file);

/// Writes `folder`/report.html aside and renames it. Throws `InputError`.
void write_page(const std::filesystem::path& folder, const std::string& text);

/// Reads a result folder and writes `plots/` (PNG, SVG, PDF and data) and report.html into it. With
/// `slo`, goodput is shown too; that needs the requests of each run. With a file of `published`
/// points (see `read_published`), those of the mean normalized latency stand beside a sweep's own.
/// Returns the files written, relative to the folder. Throws `InputError` for a folder that is not
/// as `run` and `sweep` write it, a missing gnuplot, and what cannot be written.
std::vector<std::string> write_report(const std::filesystem::path& folder,
                                      const std::vector<LatencyBound>& slo = {},
                                      const std::optional<std::filesystem::path>& published = {});

}  // namespace tokenyard
