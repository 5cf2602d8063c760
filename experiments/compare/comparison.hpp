#pragma once
// Two result folders side by side.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "experiments/compare/gate.hpp"
#include "experiments/statistics/paired.hpp"

namespace tokenyard {

enum class Verdict : std::uint8_t {
  identical,      ///< the very same value in each pair
  no_difference,  ///< the interval lies within one percent of nothing
  better,
  worse,
  changed,  ///< for certain, but neither way is better
  inconclusive,
};

/// One metric of a series in both folders.
struct MetricComparison {
  std::string metric;
  double base = 0;  ///< the mean over the pairs
  double candidate = 0;
  std::optional<RelativeChange> change;  ///< empty where nothing bounds the error
  Verdict verdict = Verdict::inconclusive;
};

/// A request that changed much.
struct ChangedRequest {
  std::string request;
  std::string seed;  ///< empty with one seed
  double base_jct_s = 0;
  double candidate_jct_s = 0;
};

struct GateResult {
  Gate gate;
  GateOutcome outcome = GateOutcome::inconclusive;
  std::string reason;
  std::int64_t pairs_needed = 0;  ///< where it is inconclusive and more pairs would help, else 0
};

/// A series (a policy, with its system) of both folders.
struct SeriesComparison {
  std::string base;       ///< its label in the base
  std::string candidate;  ///< and in the candidate
  std::int64_t pairs = 0;
  bool by_windows = false;  ///< one trace: the interval is over its windows
  std::vector<MetricComparison> metrics;
  std::vector<ChangedRequest> changed;  ///< most first, at most five
  std::string first_difference;         ///< of iterations.csv; empty where there is none or no file
  std::vector<GateResult> gates;
};

struct FolderComparison {
  std::vector<SeriesComparison> series;
  std::vector<std::string> unpaired;  ///< labels of one folder that the other does not have
};

/// Compares the folders. One series in each is compared whatever their names; several pair by name.
/// Runs of a series pair by seed: with two and more the intervals are Student's over the pairs;
/// with one they are by moving-block bootstrap over windows of the trace, for latencies of
/// requests, and other metrics have none. Verdicts on one metric of several series are corrected
/// after Holm. Throws `InputError`.
FolderComparison compare_folders(const std::filesystem::path& base,
                                 const std::filesystem::path& candidate,
                                 const std::vector<Gate>& gates);

}  // namespace tokenyard
