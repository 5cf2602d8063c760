#pragma once
// The highest request rate that keeps service level objectives.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "experiments/capacity/slo.hpp"
#include "experiments/run.hpp"
#include "experiments/statistics/interval.hpp"

namespace tokenyard {

/// What to search. A value type.
struct CapacityPlan {
  /// Trace, policies, systems, settings and seeds; its request rate is what is searched.
  RunPlan run;
  std::vector<Slo> rules;                ///< at least one; all must hold
  std::optional<std::int64_t> requests;  ///< of a run; empty: see `measure_capacity`
  /// Measure runs from empty to empty, instead of the steady state.
  bool terminating = false;
  double tolerance = 0.01;  ///< of the rate, a share
  bool has_warmup = false;  ///< the settings say where the steady state begins
};

/// What was measured at one rate.
struct MeasuredPoint {
  double rate = 0;               ///< requests/s
  std::vector<Interval> values;  ///< by rule, over the seeds
  std::vector<bool> met;         ///< by rule, by the estimate
  std::vector<bool> misses;      ///< by rule: too few requests completed for its metric
  bool steady = true;            ///< false: requests came faster than they were served
  bool surely = false;           ///< met as well by the worse end of every interval
  bool estimated = false;        ///< met by every estimate
  bool perhaps = false;          ///< met at least by the better end of every interval
};

/// The answer for one policy (with its system).
struct Capacity {
  std::string series, policy, system;
  std::int64_t seeds = 0;
  /// The highest rate measured at which every rule is met, and at every lower one that was
  /// measured; what is next above it and fails is higher by at most the tolerance. Empty: never
  /// met.
  std::optional<double> rate;
  /// The rates at which some rule's 95 % interval holds its bound; empty with one seed.
  std::optional<double> low, high;
  bool bounded = true;                ///< false: met at every rate that was measured
  std::string reason;                 ///< what bounds the rate
  std::vector<MeasuredPoint> points;  ///< by rate
  std::vector<Summary> summaries;     ///< of every run, in the order of the points
};

struct Capacities {
  std::vector<Capacity> series;
  std::vector<std::string> notes;  ///< what a reader of the results must know, a sentence each
};

/// Searches for each policy. The search begins at the throughput of a server that never lacks
/// requests, above which no steady state is to be expected (Baccelli and Foss, "On the saturation
/// rule for the stability of queues", J. Appl. Prob. 32, 1995), brackets the answer by doubling or
/// halving, and bisects three curves: of the estimates, and of the two ends of their intervals.
/// Means over seeds need not grow with the rate where the noise is greater than the slope: a rate
/// counts as met only while every lower measured one is (a monotone envelope).
///
/// All rates and policies see the same requests, their gaps stretched. In steady state, runs have
/// 10,000 requests of a workload plan, of which the first fifth (or the settings' warm-up) and the
/// last twentieth, behind which too few come, are not counted; a rate at which the number in system
/// grows without end fails. Terminating runs have the plan's own number. A recorded trace is run
/// whole, once, and there is no interval. A percentile is not met where more requests than it
/// leaves aside did not complete.
///
/// Tells a progress line unless the plan is quiet. Throws `InputError`.
Capacities measure_capacity(const CapacityPlan& plan);

}  // namespace tokenyard
