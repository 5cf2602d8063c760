#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "models/beam_survival.hpp"
#include "sim/ports/events.hpp"
#include "sim/ports/output_oracle.hpp"

namespace tokenyard {

/// What becomes of the slots of an iteration where no engine computes it: a sequence ends where the
/// oracle says, beams survive by `BeamSurvival`. Keeps the outcomes of one iteration at a time.
/// The oracle must outlive it. One thread.
class SlotOutcomes {
 public:
  /// `seed` decides which beams survive. `sees_all`: it is asked of every iteration there is, not
  /// of those of one place in a pipeline.
  SlotOutcomes(const OutputOracle& oracle, std::uint64_t seed, bool sees_all)
      : oracle_(oracle), beams_(seed), sees_all_(sees_all) {}

  /// How often the iteration may be carried out in a row before one of its sequences has ended, the
  /// time of that end included; at least 1.
  std::int64_t tokens_left(const Iteration& iteration);

  /// The end of the iteration that `tokens_left` was asked of last, carried out until `ends`. It
  /// refers to them and to this object.
  IterationEnd after(const Iteration& iteration, std::span<const Time> ends);

 private:
  struct KnownOutput {
    RequestId request{std::numeric_limits<std::uint32_t>::max()};
    std::int64_t tokens = 0;
    std::int64_t ends_at = -1;  // what was noted last
  };

  std::int64_t left_for(const Iteration& iteration, const Slot& slot);
  std::int64_t ask(const Slot& slot);
  void find_outcomes(const Iteration& iteration, std::int64_t times);

  const OutputOracle& oracle_;
  BeamSurvival beams_;
  bool sees_all_;
  std::vector<KnownOutput> known_;  // of requests of one sequence, by place
  /// A heap, the least first: before which iteration, by number, a sequence will have ended if it
  /// is in all until then.
  std::vector<std::int64_t> endings_;
  std::int64_t least_ = 1;
  bool has_beams_ = false;  // one of the slots is a beam's
  std::vector<SlotOutcome> outcomes_;
  std::vector<std::size_t> told_;  // the slots of whose outcome there is something to say
};

}  // namespace tokenyard
