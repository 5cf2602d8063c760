#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "models/pipeline_cost_model.hpp"
#include "models/slot_outcomes.hpp"
#include "sim/ports/executor.hpp"
#include "sim/ports/observer.hpp"

namespace tokenyard {

/// An executor of p pipeline stages with no tensors: holds p iterations in flight, which go through
/// the stages in the order of their begin. A stage takes up an iteration when the one before has
/// handed it on and its own last is done; the next may begin as soon as the first stage is free.
/// Copies overlap compute; those of a stage in one direction follow one another on a channel of its
/// own, and a copy has ended when all stages have made theirs. Tells the observer when each stage
/// is busy. Cost model, oracle and observer must outlive it. One thread.
class PipelineExecutor final : public Executor {
 public:
  /// `seed` decides which beams survive.
  PipelineExecutor(const PipelineCostModel& cost, const OutputOracle& oracle, Observer& observer,
                   std::uint64_t seed = 0);

  int depth() const override { return static_cast<int>(stages_.size()); }
  bool reads_tables() const override { return false; }
  void begin(const Iteration& iteration, Time now, Events& events) override;

 private:
  struct Stage {
    Time free_at = kOrigin;
    std::array<Time, 2> channel_free_at = {kOrigin, kOrigin};  // by CopyDirection
  };
  /// What an iteration in flight refers to.
  struct Place {
    SlotOutcomes outcomes;
    Time end = kOrigin;
  };

  void begin_copy(const KvCopy& copy, Time now, Events& events);

  const PipelineCostModel& cost_;
  Observer& observer_;
  std::vector<Stage> stages_;
  std::vector<Place> places_;  // taken in turn: iterations end in the order of their begin
  std::size_t next_place_ = 0;
};

}  // namespace tokenyard
