#pragma once

#include <memory>
#include <string>

#include "experiments/explain/explanation.hpp"
#include "experiments/replay.hpp"
#include "traces/trace_view.hpp"

namespace tokenyard {

/// A flight record ('tokenyard run --record FILE'), simulated or live, as a run that can be
/// explained: its decisions are made again from what it says that each pass was fed, so that
/// neither the trace nor the engine is needed, and iterations take what they took. The record knows
/// requests and tenants by number only: so they are named. One object, one thread.
class RecordedFlight {
 public:
  /// Replays it once, to learn who was in it. Throws `InputError` for a record that is none, breaks
  /// off before the run's end, decides otherwise when replayed, or is of an executor that holds
  /// several iterations at once.
  explicit RecordedFlight(const std::string& path);
  RecordedFlight(const RecordedFlight&) = delete;
  RecordedFlight& operator=(const RecordedFlight&) = delete;

  /// Valid as long as this object, which stays where it is.
  ExplainedRun run() const;

 private:
  ReplayResult watch(Observer& observer) const;

  std::string path_;
  std::string label_;
  Trace trace_;
  std::unique_ptr<const TraceView> requests_;  ///< of `trace_`
};

}  // namespace tokenyard
