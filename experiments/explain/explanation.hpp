#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "experiments/explain/recorded_runs.hpp"
#include "experiments/statistics/distribution.hpp"
#include "sim/ports/observer.hpp"
#include "traces/trace_view.hpp"

namespace tokenyard {

/// A stretch of a request's life in one phase.
struct PhaseSpan {
  Phase phase{};
  Time from;
  Time until;
};

/// How long a request waited, before it was first scheduled and after that.
struct Wait {
  Duration first_turn{0};
  Duration later{0};

  Duration total() const { return first_turn + later; }
};

/// A request that ran while the explained one waited.
struct Blocker {
  std::string request;  ///< its label
  std::int64_t prompt_tokens = 0;
  std::int64_t output_tokens = 0;
  Time arrival;
  Wait wait;  ///< what of the waiting is its share
};

/// Where one request's time went.
struct RequestExplanation {
  std::string run;      ///< the run's label
  std::string request;  ///< the trace's label
  RequestFacts facts;
  std::vector<PhaseSpan> life;  ///< without gaps, from arrival to end; empty for a rejected one
  Wait waited;
  Wait behind_nobody;           ///< what of it passed while nothing ran
  std::vector<Blocker> behind;  ///< the rest, whoever takes most first; sums exactly
  Duration recomputing{0};      ///< of the time preempted, in the batch
};

/// A run that can be watched again.
struct ExplainedRun {
  std::string label;
  const TraceView& requests;  ///< all of them
  const std::vector<std::string>& tenants;
  std::function<void(Observer&)> watch;
};

/// Watches the request with the label `request`. Throws `InputError` where there is none.
RequestExplanation explain_request(const ExplainedRun& run, const std::string& request);

/// Runs `run` again.
RequestExplanation explain_request(const RecordedRuns& runs, const RecordedRun& run,
                                   const std::string& request);

/// What the requests of one class waited, in request-nanoseconds.
struct ClassWait {
  std::string name;
  std::int64_t requests = 0;            ///< admitted
  WideInteger ran = 0;                  ///< in the batch, each request for itself
  std::vector<WideInteger> first_turn;  ///< by the class that ran, and last while nothing ran
  std::vector<WideInteger> later;

  WideInteger behind(std::size_t at) const { return first_turn[at] + later[at]; }
  WideInteger waited() const;
};

/// The delay that each class of requests imposes on each other. A rejected request neither waits
/// nor runs.
struct ClassExplanation {
  std::string run;
  std::string by;
  std::vector<ClassWait> classes;
};

/// Watches a run and sorts its waiting by classes (see `classify`). Throws `InputError`.
ClassExplanation explain_classes(const ExplainedRun& run, const std::string& by);

/// Runs `run` again.
ClassExplanation explain_classes(const RecordedRuns& runs, const RecordedRun& run,
                                 const std::string& by);

/// For a terminal: a waterfall with one line a phase, and the `top` requests that took most.
std::string explanation_text(const RequestExplanation& explanation, std::size_t top);
/// For a terminal: who waits (rows) while who runs (columns).
std::string explanation_text(const ClassExplanation& explanation);

/// JSON objects, with all there is, in whole nanoseconds.
std::string explanation_json(const RequestExplanation& explanation);
std::string explanation_json(const ClassExplanation& explanation);

}  // namespace tokenyard
