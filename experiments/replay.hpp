#pragma once
// Flight replay: a scheduler is fed what a record says, and must decide what the record says.

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "experiments/record/flight_reader.hpp"
#include "sim/ports/cost_model.hpp"
#include "sim/ports/length_predictor.hpp"
#include "sim/ports/observer.hpp"
#include "sim/ports/output_oracle.hpp"
#include "sim/ports/policy.hpp"

namespace tokenyard {

/// Where a replay parted from its record.
struct FlightDifference {
  std::int64_t pass = 0;  ///< from 0
  Time at;
  std::size_t line = 0;  ///< of the record, where its decision stands
  std::string recorded;  ///< the decisions in words
  std::string replayed;
};

struct ReplayResult {
  std::int64_t passes = 0;  ///< compared
  std::int64_t iterations =
      0;                   ///< carried out in them, a macro-step counted as those it stands for
  bool complete = false;   ///< the record tells of the run's end
  bool broke_off = false;  ///< its last line is incomplete, and was left out
  std::optional<FlightDifference> difference;
};

/// The true output lengths that a record tells of, of the requests that have arrived and not ended.
class RecordedTruth final : public OutputOracle {
 public:
  /// `request` must be one of these.
  std::int64_t output_tokens(RequestId request) const override;

  void set(RequestId request, std::int64_t tokens) { tokens_[request] = tokens; }
  void forget(RequestId request) { tokens_.erase(request); }

 private:
  std::unordered_map<RequestId, std::int64_t> tokens_;  // looked up, never gone through
};

/// What a scheduler needs besides its record. The predictor, where the policy needs one, asks
/// `truth`, which the replay fills. All are owned by the caller.
struct ReplayPorts {
  Policy& policy;
  const CostModel& advising_cost;
  const LengthPredictor* predictor;
  RecordedTruth& truth;
};

/// Feeds a fresh scheduler all that `record` tells, up to the first difference, under the eyes of
/// `observer` (null: nobody's), which is told what the scheduler tells. Throws `InputError` at the
/// line that tells what cannot be: among these a feeding that breaks an invariant, since no run
/// that was recorded to its end has one.
ReplayResult replay(FlightReader& record, const ReplayPorts& ports, Observer* observer = nullptr);

/// The same with all that the record's first line names.
ReplayResult replay(FlightReader& record, Observer* observer = nullptr);

}  // namespace tokenyard
