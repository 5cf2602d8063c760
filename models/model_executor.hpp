#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "models/beam_survival.hpp"
#include "sim/ports/cost_model.hpp"
#include "sim/ports/executor.hpp"
#include "sim/ports/output_oracle.hpp"

namespace tokenyard {

/// An executor with no tensors: an iteration and a copy take what the cost model says, and a
/// sequence ends where the oracle says; beams survive by `BeamSurvival`. It repeats an
/// iteration as far as it may (see `Repeat`). Copies overlap compute;
/// those in one direction follow one another on a channel of its own. Cost model and oracle must
/// outlive it. One thread.
class ModelExecutor final : public Executor {
 public:
  /// `seed` decides which beams survive.
  ModelExecutor(const CostModel& cost, const OutputOracle& oracle, std::uint64_t seed = 0)
      : cost_(cost), oracle_(oracle), beams_(seed) {}

  void begin(const Iteration& iteration, Time now, Events& events) override;

 private:
  const CostModel& cost_;
  const OutputOracle& oracle_;
  struct KnownOutput {
    RequestId request{std::numeric_limits<std::uint32_t>::max()};
    std::int64_t tokens = 0;
  };

  std::int64_t ask(const Slot& slot);
  std::int64_t find_tokens_left(const Iteration& iteration);
  void find_outcomes(std::span<const Slot> slots, std::int64_t times);

  BeamSurvival beams_;
  std::vector<KnownOutput> known_;  // of requests of one sequence, by place
  std::vector<std::int64_t> left_;  // by slot; see `find_tokens_left`
  bool has_beams_ = false;          // one of the slots is a beam's
  std::vector<SlotOutcome> outcomes_;
  std::vector<std::size_t> told_;  // the slots of whose outcome there is something to say
  std::vector<Time> ends_;
  Time channel_free_at_[2] = {kOrigin, kOrigin};  // by CopyDirection
};

}  // namespace tokenyard
