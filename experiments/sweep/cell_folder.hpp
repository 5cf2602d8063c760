#pragma once
// A cell that was carried out, as it stands in the folder of a sweep: a result folder of `run` and
// cell.json, which vouches for it.

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "experiments/run.hpp"

namespace tokenyard {

/// A finished cell, read back. A value type.
struct CellResult {
  RunResult run;
  std::vector<std::string> notes;            ///< without the run's name in front
  std::map<std::string, std::string> files;  ///< digests by path in the cell's folder

  /// Whether requests were written one by one.
  bool has_requests() const { return files.contains(run.folder + "/requests.csv"); }
};

/// Carries the plan's only run out and writes the result folder `place`, which appears as a whole
/// or not at all. Its name is taken as the cell's. Throws `InputError`, and `Interrupted` also for
/// a live run.
void write_cell(RunPlan plan, const std::filesystem::path& place, const RunShare& share);

/// Reads a cell back. Throws `InputError` where anything that is read is missing or is not what was
/// written; other files than summary.csv are only looked at with `all_files`.
CellResult read_cell(const std::filesystem::path& place, bool all_files);

/// `tokenyard run … --out PLACE --cell`: one cell of a listed sweep, unless it is there. Refuses to
/// write what PLACE does not name. Returns the cell.
CellResult make_listed_cell(const RunPlan& plan, const std::filesystem::path& place);

}  // namespace tokenyard
