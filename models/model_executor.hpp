#pragma once

#include <cstdint>
#include <vector>

#include "sim/ports/cost_model.hpp"
#include "sim/ports/executor.hpp"
#include "sim/ports/output_oracle.hpp"

namespace tokenyard {

/// An executor with no tensors: an iteration takes what the cost model says, and a sequence ends
/// where the oracle says. Both must outlive it. One thread.
class ModelExecutor final : public Executor {
 public:
  ModelExecutor(const CostModel& cost, const OutputOracle& oracle) : cost_(cost), oracle_(oracle) {}

  void begin(const Iteration& iteration, Time now, Events& events) override;

 private:
  const CostModel& cost_;
  const OutputOracle& oracle_;
  std::vector<SlotOutcome> outcomes_;
};

}  // namespace tokenyard
