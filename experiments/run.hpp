#pragma once
// What `tokenyard run` does, without its command line: policies x systems x seeds over one trace.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "experiments/record/result_folder.hpp"
#include "experiments/record/summary.hpp"
#include "experiments/settings.hpp"

namespace tokenyard {

class Progress;

/// What a run is called.
struct RunName {
  std::string label;   ///< in tables and files
  std::string series;  ///< the label without the seed
  std::string folder;  ///< its folder's name inside the result folder
};

/// What to run. A value type.
struct RunPlan {
  std::string trace;   ///< a trace file, or a workload plan's file or text
  std::string format;  ///< empty: recognised
  std::string zero = "drop";
  std::vector<std::string> policies;   ///< empty: each system's own
  std::vector<std::string> systems;    ///< empty: none
  std::vector<GivenSetting> settings;  ///< what was given explicitly; wins over the systems'
  /// Empty: the workload plan's own seed, or 1.
  std::optional<std::uint64_t> seed;
  std::int64_t repeat = 1;  ///< seeds of a workload plan, from `seed` on
  bool iterations = false;  ///< write iterations.csv
  bool timeline = false;    ///< write timeline.json
  bool quiet = false;       ///< no progress line
  std::string record;       ///< the flight record's file, of a plan of exactly one run; empty: none
  /// Trace files of this size or more are read along with each run instead of kept in memory, where
  /// their order allows it. Decides nothing about the results. Below it a trace in memory is small
  /// (some 40 MB), and reading it twice would be the greater cost.
  std::uintmax_t stream_bytes = std::uintmax_t{64} << 20U;
  /// For a plan of exactly one run that is a part of something larger; empty: named after its
  /// policy, and its system and seed where they vary.
  std::optional<RunName> name;
};

/// One run of a plan.
struct RunResult {
  Summary summary;
  std::string folder;  ///< its folder's name inside the result folder
  std::int64_t iterations = 0;
  std::int64_t passes = 0;
  std::string trace_digest;
  bool interrupted = false;  ///< a live run that was ended by a signal: what had finished by then
};

struct RunResults {
  std::vector<RunResult> runs;
  std::vector<std::string> notes;  ///< what a reader of the results must know, a sentence each
};

/// Runs the plan; with a result folder, writes everything into it (the caller commits it). All
/// input is checked before the first run starts. Throws `InputError`.
RunResults run(const RunPlan& plan, ResultFolder* folder);

/// Throws the `InputError` that `run` would throw before it reads the trace.
void check(const RunPlan& plan);

/// Runs the plan as a part of something larger: with a place, writes each run's own folder there
/// and nothing else; tells `progress`, unless it is null.
RunResults run_part(const RunPlan& plan, const std::filesystem::path& place, Progress* progress);

}  // namespace tokenyard
