#pragma once

#include <memory>
#include <vector>

#include "models/collectives.hpp"
#include "sim/ports/cost_model.hpp"

namespace tokenyard {

/// What the stages of a pipeline cost, each by a model of its own, with what it takes to hand the
/// activations on to the next. An iteration that finds all stages idle takes the sum; the stages
/// may be at different iterations (see PipelineExecutor). Copies between device and host are made
/// by each stage of its own layers, as soon as the first stage's decision has come through to it: a
/// copy is over with the last. Immutable; safe to share between threads if the stages' models are.
class PipelineCostModel final : public CostModel {
 public:
  struct Stage {
    std::unique_ptr<const CostModel> cost;
    TransferTime to_next;  ///< by tokens of the iteration; of the last stage nothing
  };

  /// At least one stage.
  explicit PipelineCostModel(std::vector<Stage> stages);

  std::size_t stages() const { return stages_.size(); }
  const CostModel& stage(std::size_t stage) const { return *stages_[stage].cost; }
  /// How long a stage is busy with an iteration.
  Duration busy(std::size_t stage, const IterationLoad& load) const {
    return stages_[stage].cost->iteration(load);
  }
  /// How long its results are on the way to the next stage; it is free meanwhile.
  Duration on_the_way(std::size_t stage, const IterationLoad& load) const;

  /// How long a stage's own share of a copy takes.
  Duration copy(std::size_t stage, std::int64_t blocks) const {
    return stages_[stage].cost->copy(blocks);
  }
  /// How much later than the first stage this one learns what to copy.
  Duration follows(std::size_t stage) const;

  Duration iteration(const IterationLoad& load) const override;
  Duration copy(std::int64_t blocks) const override;

 private:
  std::vector<Stage> stages_;
};

}  // namespace tokenyard
