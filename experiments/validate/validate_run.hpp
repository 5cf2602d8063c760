#pragma once
// What `tokenyard validate` does, without its command line.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "experiments/costs/profile.hpp"
#include "experiments/run.hpp"
#include "experiments/validate/validation.hpp"

namespace tokenyard {

/// What to validate. A value type.
struct ValidationPlan {
  /// Trace, policies, systems and settings, the engine's among them. Its seed is every
  /// repetition's.
  RunPlan run;
  std::int64_t repetitions = 5;
  /// Requests come at this share of what the first policy can serve, by simulation. Empty: as the
  /// settings say.
  std::optional<double> load;
  /// Of the engine, where the settings name no cost model: its least rounds come first; it is
  /// longer than allowed where live runs need more rounds to stand between.
  ProfilePlan profile;
};

struct ValidationResults {
  Validation validation;
  std::vector<LiveAndSimulated> runs;
  double load = 0;  ///< offered, of what the first policy can serve by the model that charges
  double request_rate = 0;  ///< requests/s
  std::string cost;         ///< the text of the cost model file that charges
  std::string advice;       ///< of the one that advised policies; empty: the same
  std::vector<std::string> notes;
};

/// Runs each policy `repetitions` times live, in turns, and once simulated, over the same requests
/// with the same advice, limits and pools; then compares.
///
/// Where no cost model is named, the engine is profiled by turns with the live runs (turns.hpp).
/// The first rounds make the model that advises policies in all runs, live or simulated, and finds
/// the request rate of a load; all rounds together make the one that charges simulations and
/// iterations, and that says which load it was. `profiled` hears of the measurements of the first
/// rounds. Throws `InputError`, and `Interrupted` where a live run or a measurement is.
ValidationResults run_validation(const ValidationPlan& plan,
                                 const std::function<void(std::int64_t, std::int64_t)>& profiled);

}  // namespace tokenyard
