#pragma once

#include <vector>

#include "engine/engine.hpp"
#include "sim/ports/cost_model.hpp"
#include "sim/ports/executor.hpp"

namespace tokenyard {

/// The engine under a simulated clock: each iteration is carried out in place, when it begins, and
/// ends when the cost model says; copies likewise, those in one direction one after the other. So
/// the server decides as in a pure simulation, and the tokens are real. Without a cost model it
/// charges what computing and copying really took (the results then differ from run to run).
/// Refers to the engine and the model. One thread beside the engine's own workers.
class EngineExecutor final : public Executor {
 public:
  EngineExecutor(Engine& engine, const CostModel* cost) : engine_(engine), cost_(cost) {}

  void begin(const Iteration& iteration, Time now, Events& events) override;

 private:
  Engine& engine_;
  const CostModel* cost_;
  Time channel_free_at_[2] = {kOrigin, kOrigin};  // by CopyDirection
};

}  // namespace tokenyard
