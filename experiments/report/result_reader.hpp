#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "experiments/record/summary.hpp"
#include "experiments/report/plots.hpp"

namespace tokenyard {

/// A result folder, read back. A value type.
struct ResultFiles {
  std::string run_json;  ///< as written, one key a line
  std::vector<Summary> summaries;
  /// Job completion times (s) of the finished requests; the seeds of one policy and system are
  /// pooled into one curve.
  std::vector<PlotSamples> jct;
};

/// Reads run.json, summary.csv and every LABEL/requests.csv of `folder`. Throws `InputError` with
/// file, line and column for whatever is missing or is not as `run` writes it.
ResultFiles read_result_folder(const std::filesystem::path& folder);

}  // namespace tokenyard
