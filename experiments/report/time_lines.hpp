#pragma once
// The state of the server over time, in equal bins: what plots can show of any number of
// iterations.

#include <cstddef>
#include <filesystem>
#include <vector>

#include "experiments/report/request_samples.hpp"

namespace tokenyard {

/// Equal bins from 0 on.
struct TimeBins {
  double end_s = 0;
  std::size_t count = 400;

  double width_s() const { return end_s / static_cast<double>(count); }
};

/// Bins up to the last finish of any group's first run.
TimeBins bins_for(const std::vector<RequestGroup>& groups);

/// Requests in the system, averaged over each bin.
std::vector<double> in_system(const RunSamples& run, const TimeBins& bins);

/// What iterations.csv tells, averaged over each bin; while nothing runs all are 0. Of several
/// iterations at once the average is taken.
struct TimeLine {
  std::vector<double> waiting;         ///< live requests outside the batch
  std::vector<double> kv_blocks_used;  ///< on the device
  /// Live requests by queue level, each by bin; empty where the policy has none. The last one
  /// holds all that are deeper.
  std::vector<std::vector<double>> levels;
};
inline constexpr std::size_t kLevelsShown = 12;

/// Reads iterations.csv. Throws `InputError` with file, line and column.
TimeLine read_time_line(const std::filesystem::path& file, const TimeBins& bins);

}  // namespace tokenyard
