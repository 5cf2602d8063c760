#pragma once
// Puts a run together: the only place that names concrete classes.

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "experiments/record/flight_record.hpp"
#include "experiments/record/level_watch.hpp"
#include "experiments/settings.hpp"
#include "models/cost_floor.hpp"
#include "models/parallel_layout.hpp"
#include "sim/kernel/strict_json.hpp"
#include "sim/ports/cost_model.hpp"
#include "sim/ports/length_predictor.hpp"
#include "sim/ports/observer.hpp"
#include "sim/ports/output_oracle.hpp"
#include "sim/ports/policy.hpp"
#include "traces/trace.hpp"
#include "traces/trace_stream.hpp"

namespace tokenyard {

/// The policy "name" or "name:key=value,…", inside a starvation guard where `guard` is not empty.
/// An unknown name or parameter is an `InputError`.
std::unique_ptr<Policy> compose_policy(const std::string& text, const std::string& guard = "");

/// The cost model that the settings name: `file`, where they name one, or else that of their model
/// and device. Throws `InputError`.
std::unique_ptr<CostModel> compose_cost(const Settings& settings, const JsonObject* file);

/// Throws `InputError` for settings of the server that exclude one another.
void refuse_contradictions(const Settings& settings);

/// The predictor that the settings name, where the policy needs one; else null. `truth` must
/// outlive it.
std::unique_ptr<LengthPredictor> compose_predictor(const Policy& policy, const Settings& settings,
                                                   const OutputOracle& truth,
                                                   double mean_output_tokens, std::uint64_t seed);

/// How the settings cut a model over devices.
Parallelism parallelism_of(const Settings& settings);

class EngineModel;

/// What carries iterations out and what they cost, and the settings with all that follows from them
/// filled in.
struct Machine {
  std::unique_ptr<CostModel> cost;      ///< charges unless `measures`
  std::string cost_json;                ///< as a cost model file has it; empty: settings say it
  std::shared_ptr<EngineModel> engine;  ///< null: costs alone
  bool measures = false;                ///< iterations take what they really take
  Settings settings;
  std::vector<std::string> notes;     ///< what a user should know about how they were filled in
  const CostModel* advice = nullptr;  ///< advises policies and outlives the machine; null: `cost`

  const CostModel& advising() const { return advice != nullptr ? *advice : *cost; }
};

/// Throws `InputError` when the settings name no cost, no pool, or what does not fit together. An
/// engine with the same weights as that of `other` shares them.
Machine compose_machine(Settings settings, const Machine* other = nullptr);

/// What lies under the costs that the machine charges; empty where nothing is known, as when it
/// measures.
std::vector<CostFloor> compose_floors(const Machine& machine);

/// What a user should know if costs outside what was measured were asked for, as charges or else as
/// advice; empty where they were not, and for costs that were not measured.
std::string left_measured_range(const Machine& machine);

/// A trace as runs use it: whole in memory, or read again from its file along with each run.
/// Immutable; safe to share between threads.
class RunTrace {
 public:
  /// In memory.
  explicit RunTrace(Trace trace);
  /// Read along; `survey` is of this file, read with these options.
  RunTrace(std::string path, ReadOptions options, TraceSurvey survey)
      : path_(std::move(path)), options_(std::move(options)), survey_(std::move(survey)) {}

  const TraceSurvey& survey() const { return survey_; }
  bool streamed() const { return whole_ == nullptr; }

  /// Whether requests wait for others or are of sessions.
  bool has_programs() const { return survey_.sessions > 0 || !programs_.empty(); }
  /// The number of the program that a request of `view` belongs to; empty where it is one by
  /// itself.
  std::optional<std::uint32_t> program(const TraceView& view, RequestId request) const;

  /// The requests, for one run. Refers to this object.
  std::unique_ptr<TraceView> view() const;

 private:
  std::unique_ptr<const Trace> whole_;  ///< null: it is read along
  std::string path_;
  ReadOptions options_;
  TraceSurvey survey_;
  std::vector<std::uint32_t> programs_;  ///< by request, where some wait; else sessions tell
};

/// Where a trace comes from. A value type.
struct TraceSource {
  std::string path;    ///< a trace file, or a workload plan's file or text
  std::string format;  ///< empty: recognised
  std::string zero = "drop";
  bool trust_ids = false;  ///< see `ReadOptions`
  /// Files of this size or more are not kept in memory, where nothing else speaks against it.
  std::uintmax_t stream_bytes = std::numeric_limits<std::uintmax_t>::max();
};

/// A trace file, or a workload plan drawn with `seed`; then the first `limit` requests, of a file a
/// resample with `seed` if asked, at `request_rate`. A large file is read along with each run,
/// unless its requests wait for others or a resample is asked for; where its rows had to be sorted
/// into a temporary file, a line on standard error says so.
RunTrace compose_trace(const TraceSource& source, const Settings& settings, std::uint64_t seed);

/// Whether a run of this policy under these settings uses the true output lengths.
bool is_clairvoyant(const std::string& policy, const Machine& machine);

struct SimulationCounts {
  std::int64_t passes = 0;  ///< times the scheduler was asked
};

/// Runs `view`, made by `trace`, to its end. `seed` feeds the predictor's noise and the sampler.
/// With an engine, digests of what it said go to `digests`. `level_counts`, one a replica where
/// given, are kept up to date with the live requests by queue level.
SimulationCounts run_simulation(const std::string& policy, const Machine& machine,
                                const RunTrace& trace, TraceView& view, std::uint64_t seed,
                                Observer& observer, std::vector<std::uint64_t>* digests = nullptr,
                                std::span<LevelCounts> level_counts = {});

/// Begins the record of a run of `view`, made by `trace`: an observer of `run_simulation`. `header`
/// names policy, system, seed and trace; the rest is filled in.
std::unique_ptr<FlightRecord> compose_flight_record(const std::string& path, FlightHeader header,
                                                    const Machine& machine, const RunTrace& trace,
                                                    const TraceView& view);

/// How long each request of a trace would take alone on the machine, its prompt prefilled whole:
/// the divisor of slowdown. Sums up to each context are shared by all, so memory is 8 bytes a token
/// of the longest context asked for. Not safe to share between threads.
class SoloTimes {
 public:
  /// `cost` must outlive it.
  SoloTimes(const RunTrace& trace, const CostModel& cost);

  /// Of a request of the trace; 0 for all of a trace with contexts of over 20 million tokens.
  Duration of(std::int64_t prompt_tokens, std::int64_t output_tokens);

 private:
  const CostModel& cost_;
  bool known_ = true;
  std::vector<Duration> decode_until_{Duration{0}};  ///< the iterations with contexts 1 … i alone
};

}  // namespace tokenyard
