#pragma once

#include <cstdint>
#include <vector>

#include "models/slot_outcomes.hpp"
#include "sim/ports/cost_model.hpp"
#include "sim/ports/executor.hpp"
#include "sim/ports/output_oracle.hpp"

namespace tokenyard {

/// An executor with no tensors: an iteration and a copy take what the cost model says, and
/// sequences end as `SlotOutcomes` has it. It repeats an iteration as far as it may (see `Repeat`).
/// Copies overlap compute; those in one direction follow one another on a channel of its own. Cost
/// model and oracle must outlive it. One thread.
class ModelExecutor final : public Executor {
 public:
  /// `seed` decides which beams survive.
  ModelExecutor(const CostModel& cost, const OutputOracle& oracle, std::uint64_t seed = 0)
      : cost_(cost), outcomes_(oracle, seed, true) {}

  bool reads_tables() const override { return false; }
  void begin(const Iteration& iteration, Time now, Events& events) override;

 private:
  const CostModel& cost_;
  SlotOutcomes outcomes_;
  std::vector<Time> ends_;
  Time channel_free_at_[2] = {kOrigin, kOrigin};  // by CopyDirection
};

}  // namespace tokenyard
