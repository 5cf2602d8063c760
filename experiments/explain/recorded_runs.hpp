#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "experiments/compose.hpp"
#include "sim/kernel/strict_json.hpp"
#include "sim/ports/observer.hpp"

namespace tokenyard {

/// One run of a result folder, ready to be run again.
struct RecordedRun {
  std::string label;
  std::filesystem::path folder;  ///< where its requests.csv is
  std::uint64_t seed = 0;
  std::string policy;
  Machine machine;
};

/// A result folder of `run`, from whose run.json simulated runs can be run again with other
/// observers: what a question needs that no result file tells is watched instead of kept. One
/// object, one thread.
class RecordedRuns {
 public:
  /// Reads run.json. `trace` is read in place of the trace file that it names, unless empty. Throws
  /// `InputError` for a folder that is none of `run`'s, or whose runs were live.
  explicit RecordedRuns(const std::filesystem::path& folder, std::string trace = "");

  const std::vector<std::string>& labels() const { return labels_; }

  /// The run of a label, with all that its settings name. Throws `InputError` where some of that is
  /// gone.
  RecordedRun find(const std::string& label) const;

  /// The requests of that run; in memory. Throws `InputError` where they are not those of the run.
  RunTrace trace(const RecordedRun& run) const;

  /// Runs it again under the eyes of `observer`. Throws `InputError` at the end where the requests
  /// did not fare as requests.csv says, to the last byte: then this program is not the one that
  /// made the folder, and what was observed explains another run.
  void run_again(const RecordedRun& run, const RunTrace& trace, Observer& observer) const;

 private:
  std::filesystem::path folder_;
  JsonObject json_;
  std::string trace_;
  std::string made_by_;  ///< version
  std::vector<std::string> labels_;
};

}  // namespace tokenyard
