#pragma once
// What a live run and its simulation say of one another. Knows numbers only, no engine.

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "experiments/record/summary.hpp"
#include "experiments/statistics/paired.hpp"
#include "experiments/validate/iteration_watch.hpp"
#include "experiments/validate/live_spread.hpp"

namespace tokenyard {

/// One policy over one trace: live several times, simulated once (again it would be the same).
struct LiveAndSimulated {
  std::string policy;
  std::vector<Summary> live;
  Summary simulated;
  std::vector<std::vector<ChargedIteration>> iterations;  ///< of each live run
};

/// How close is close enough. Shares of the live value.
struct ValidationGoals {
  double mean_jct = 0.03;
  double p99_jct = 0.05;
  double iterations_total = 0.01;
  double iterations_p95 = 0.05;

  /// Those for an offered load (1: as much as can be served): near saturation the queue makes much
  /// of little, so above nine tenths mean and p99 JCT may be off by a tenth.
  static ValidationGoals at_load(double load);
};

/// One number of a policy, live and simulated.
struct MetricRow {
  std::string policy, metric;
  double live = 0;                        ///< mean over the repetitions
  std::optional<double> live_half_width;  ///< of its 95 % interval (Student), with two or more
  double simulated = 0;
  double error = 0;  ///< simulated / live - 1
  /// How far the error may be from 0: the goal, or the relative half-width of live against live
  /// where that is larger. Empty: no goal is set for this number.
  std::optional<double> bound;

  bool met() const;
};

/// The iterations of all live runs of a policy.
struct IterationRow {
  std::string policy;
  IterationErrors errors;
  LiveSpread live;  ///< of one live iteration from another, and of one run from another
  /// How far the errors may be from 0: the goals, or what live differs from live where that is
  /// larger. At p95 live counts where at least half of the iterations have an equal.
  double total_bound = 0, p95_bound = 0;
  bool goals_met = false;  ///< whatever live differs from live

  bool met() const;
};

/// Two policies: how the second's mean JCT differs from the first's.
struct PairRow {
  std::string base, candidate;
  std::optional<RelativeChange> live;  ///< over the repetitions; empty with fewer than two
  double simulated = 0;

  /// Whether the live interval excludes no difference.
  bool judged() const { return live && (live->low > 0 || live->high < 0); }
  /// Whether both put the same one first.
  bool agrees() const { return live && (live->change > 0) == (simulated > 0); }
};

struct Validation {
  ValidationGoals goals;
  std::vector<MetricRow> metrics;
  std::vector<IterationRow> iterations;
  std::vector<PairRow> pairs;

  /// Whether every goal is met and every judged pair agrees.
  bool met() const;
};

/// The metrics compared: mean, p50, p90, p95 and p99 of JCT, TTFT and TPOT.
const std::vector<std::string>& validated_metrics();

/// Precondition: at least one live run of each policy. Metrics that a run does not have are left
/// out.
Validation validate(std::span<const LiveAndSimulated> runs, const ValidationGoals& goals);

/// For people: aligned tables, and what was not met.
std::string validation_text(const Validation& validation);
/// For programs, one object.
std::string validation_json(const Validation& validation);
/// metrics.csv, iteration_errors.csv and pairs.csv: a row each of the lists above.
std::string metrics_csv(const Validation& validation);
std::string iteration_errors_csv(const Validation& validation);
std::string pairs_csv(const Validation& validation);
/// iterations.csv: every iteration of every live run.
std::string iterations_csv(std::span<const LiveAndSimulated> runs);

}  // namespace tokenyard
