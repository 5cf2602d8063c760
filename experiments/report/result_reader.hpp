#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "experiments/record/summary.hpp"
#include "experiments/report/request_samples.hpp"

namespace tokenyard {

/// A result folder, read back without its requests. A value type.
struct ResultFiles {
  std::string settings_file;       ///< run.json, or of a sweep plan.json
  std::string settings;            ///< as written, one key a line
  std::vector<std::string> notes;  ///< what `run` had to say
  bool is_sweep = false;
  std::vector<Summary> summaries;
  std::vector<std::filesystem::path> folders;  ///< LABEL/ of each summary; of a sweep maybe missing
};

/// Reads a summary.csv, of a run or of a sweep. Throws `InputError`, also where it has no row.
std::vector<Summary> read_summaries(const std::filesystem::path& file, bool is_sweep);

/// Reads run.json (of a sweep plan.json too) and summary.csv of `folder`. Throws `InputError` with
/// file, line and column for whatever is missing or is not as `run` and `sweep` write it.
ResultFiles read_result_folder(const std::filesystem::path& folder);

/// Reads every LABEL/requests.csv; the seeds of one series make one group. Of a sweep that did not
/// keep its cells there are none. Throws as `read_requests`.
std::vector<RequestGroup> read_request_groups(const ResultFiles& files);

}  // namespace tokenyard
