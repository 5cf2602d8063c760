#pragma once

#include <cstdint>
#include <vector>

#include "experiments/costs/linear_fit.hpp"
#include "sim/ports/cost_model.hpp"
#include "sim/ports/observer.hpp"

namespace tokenyard {

/// An iteration of a live run beside what a cost model charges for the same load.
struct ChargedIteration {
  IterationLoad load;
  double measured_s = 0;
  double charged_s = 0;
};

/// Keeps what each iteration of a live run was asked to do and how long it took, from its decision
/// until its end was taken. The list must outlive it. One run, from the loop's thread; the executor
/// holds one iteration at a time.
class IterationWatch final : public Observer {
 public:
  explicit IterationWatch(std::vector<MeasuredIteration>& measured) : measured_(measured) {}

  void decided(Time now, const Iteration& iteration, const IterationFacts& facts) override;
  void completed(Time now, const Iteration& iteration) override;

 private:
  std::vector<MeasuredIteration>& measured_;
  Time begun_ = kOrigin;
};

/// Charges a live run's own iterations by a cost model: an error of the model alone, which no queue
/// has amplified.
std::vector<ChargedIteration> charge(const std::vector<MeasuredIteration>& measured,
                                     const CostModel& cost);

/// How far charges are from measured times. All relative to the measured.
struct IterationErrors {
  std::int64_t iterations = 0;
  double total = 0;  ///< all charges over all measured times, minus 1
  double mean_absolute = 0;
  double p50_absolute = 0, p95_absolute = 0, p99_absolute = 0;  ///< nearest rank
};

/// Of at least one iteration.
IterationErrors errors_of(const std::vector<ChargedIteration>& charged);

}  // namespace tokenyard
