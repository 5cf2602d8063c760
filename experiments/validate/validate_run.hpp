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
  ProfilePlan profile;  ///< of the engine, where the settings name no cost model
};

struct ValidationResults {
  Validation validation;
  std::vector<LiveAndSimulated> runs;
  double load = 0;          ///< offered, of what the first policy can serve
  double request_rate = 0;  ///< requests/s
  std::string cost;         ///< the cost model file's text
  std::vector<std::string> notes;
};

/// Runs each policy once simulated and `repetitions` times live, in turns, over the same requests
/// with the same advice, limits and pools; then compares. A cost model is measured first where none
/// is named. Throws `InputError`, and `Interrupted` where a live run is.
ValidationResults run_validation(const ValidationPlan& plan,
                                 const std::function<void(std::int64_t, std::int64_t)>& profiled);

}  // namespace tokenyard
