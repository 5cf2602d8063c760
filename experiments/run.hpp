#pragma once
// What `tokenyard run` does, without its command line: policies x systems x seeds over one trace.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "experiments/precision_goal.hpp"
#include "experiments/record/result_folder.hpp"
#include "experiments/record/summary.hpp"
#include "experiments/settings.hpp"

namespace tokenyard {

class CostModel;
class KnownBounds;
class Observer;
class RunTrace;
struct Machine;
struct RunRow;
struct TraceSource;

class Progress;

/// What a run is called.
struct RunName {
  std::string label;   ///< in tables and files
  std::string series;  ///< the label without the seed
  std::string folder;  ///< its folder's name inside the result folder
};

/// What the summary tells of, where that is not decided by the settings' warm-up: a part of the
/// requests, by the order of their arrival.
struct CountedPart {
  double first = 0;  ///< shares of the requests, 0 <= first < last <= 1
  double last = 1;
};

/// What to run. A value type.
struct RunPlan {
  std::string trace;   ///< a trace file, or a workload plan's file or text
  std::string format;  ///< empty: recognised
  std::string zero = "drop";
  bool trust_ids = false;              ///< nobody looks for an id that is there twice
  std::vector<std::string> policies;   ///< empty: each system's own
  std::vector<std::string> systems;    ///< empty: none
  std::vector<GivenSetting> settings;  ///< what was given explicitly; wins over the systems'
  /// Empty: the workload plan's own seed, or 1.
  std::optional<std::uint64_t> seed;
  std::int64_t repeat = 1;  ///< seeds of a workload plan, from `seed` on
  /// Where there are any: seeds are run until each row's means are known so well, from
  /// `kFewestReplications` on and at most `repeat` (then at least as many).
  std::vector<PrecisionGoal> until;
  bool iterations = false;  ///< write iterations.csv
  bool timeline = false;    ///< write timeline.json
  bool bound = false;       ///< say what no schedule can fall below
  bool quiet = false;       ///< no progress line
  std::string record;       ///< the flight record's file, of a plan of exactly one run; empty: none
  /// Trace files of this size or more are read along with each run instead of kept in memory, where
  /// their order allows it. Decides nothing about the results. Below it a trace in memory is small
  /// (some 40 MB), and reading it twice would be the greater cost.
  std::uintmax_t stream_bytes = std::uintmax_t{64} << 20U;
  std::optional<CountedPart> counted;
  /// Bounds for which results give the share of requests within them.
  std::vector<LatencyBounds> latency_bounds;
};

/// One run of a plan.
struct RunResult {
  Summary summary;
  std::string folder;  ///< its folder's name inside the result folder
  std::int64_t iterations = 0;
  std::int64_t passes = 0;
  std::string trace_digest;
  /// By the plan's latency bounds: the share of the counted requests, whatever became of them, that
  /// completed within them.
  std::vector<double> shares;
  std::vector<double> backlog_changes;  ///< see `BacklogWatch`
  bool interrupted = false;  ///< a live run that was ended by a signal: what had finished by then
};

struct RunResults {
  std::vector<RunResult> runs;
  /// Labels without their seeds, of what shows no steady state: requests come faster than they are
  /// served.
  std::vector<std::string> unstable;
  std::vector<std::string> notes;  ///< what a reader of the results must know, a sentence each
};

/// What somebody who carries out many runs adds to one of them.
struct RunShare {
  std::shared_ptr<const RunTrace> trace;  ///< of a plan of exactly one run; null: made anew
  Observer* watcher = nullptr;            ///< told of the run beside its own observers
  bool requests_csv = true;               ///< write LABEL/requests.csv
  Progress* progress = nullptr;           ///< told instead of a line of the run's own
  KnownBounds* bounds = nullptr;          ///< asked for bounds; null: one of the run's own
  bool bound_notes = true;                ///< of one seed: tell a bound and its kind in a note
  const Machine* like = nullptr;          ///< whose engine is used, where the weights are the same
  /// Advises policies in place of the model that charges. Null: that one. Precondition: neither
  /// a result folder nor a flight record, which name one model.
  const CostModel* advice = nullptr;
};

/// Runs the plan; with a result folder, writes everything into it (the caller commits it). All
/// input is checked before the first run starts. Throws `InputError`. Safe to call from several
/// threads, with a folder each, where the plans are quiet and use no engine.
RunResults run(const RunPlan& plan, ResultFolder* folder, const RunShare& share = {});

/// Throws the `InputError` that `run` would throw before it reads the trace.
void check(const RunPlan& plan);

/// The only run of a plan of exactly one, with everything resolved but the trace. Throws as `check`
/// does, and where there are several.
RunRow only_row(const RunPlan& plan);

/// Where the plan's trace comes from.
TraceSource source_of(const RunPlan& plan);

/// The seed that the plan's runs begin with.
std::uint64_t first_seed(const RunPlan& plan);

}  // namespace tokenyard
