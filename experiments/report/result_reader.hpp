#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "experiments/record/summary.hpp"
#include "experiments/report/plots.hpp"
#include "experiments/report/rate_plot.hpp"

namespace tokenyard {

/// A result folder, read back. A value type.
struct ResultFiles {
  std::string settings_file;  ///< run.json, or of a sweep plan.json
  std::string settings;       ///< as written, one key a line
  std::vector<Summary> summaries;
  /// Job completion times (s) of the finished requests; the seeds of one policy and system are
  /// pooled into one curve. Of a sweep over rates, whose cells are too many for one plot, there are
  /// none; nor of one that did not keep its cells.
  std::vector<PlotSamples> jct;
  /// Latency against rate, of a sweep over rates.
  std::vector<RateCurve> latency;
};

/// Reads a summary.csv, of a run or of a sweep. Throws `InputError`, also where it has no row.
std::vector<Summary> read_summaries(const std::filesystem::path& file, bool is_sweep);

/// Reads run.json (of a sweep plan.json too), summary.csv and every LABEL/requests.csv of `folder`
/// that is needed. Throws `InputError` with
/// file, line and column for whatever is missing or is not as `run` and `sweep` write it.
ResultFiles read_result_folder(const std::filesystem::path& folder);

}  // namespace tokenyard
