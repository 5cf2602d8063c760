#pragma once
// Who goes when: rounds of the profile between live runs, so that what drifts is in both.

#include <cstddef>
#include <cstdint>

#include "sim/kernel/time.hpp"

namespace tokenyard {

/// What takes turns. One thread.
class TurnTaker {
 public:
  virtual ~TurnTaker() = default;
  /// Measures one more round of the profile; returns how long it took.
  virtual Duration round() = 0;
  /// The first rounds, if any, are done; so many are to come.
  virtual void ready(std::int64_t rounds_to_come) = 0;
  virtual void live(std::size_t policy) = 0;
};

/// How many turns there are. A value type.
struct TurnPlan {
  std::size_t policies = 1;
  std::int64_t repetitions = 1;
  /// Rounds that count before the first live run; one more warms up. 0: the engine is not profiled.
  std::int64_t rounds_first = 0;
  std::int64_t rounds_most = 0;  ///< in all, as far as one follows each live run
  Duration allowed{0};           ///< for all rounds, as far as one follows each live run
};

/// Live runs repetition by repetition, each policy first in turn. Before them the first rounds,
/// after each of them one round at least: as many as fit into the time allowed, by what the first
/// ones took, spread evenly. So rounds stand before and after every live run.
void take_turns(const TurnPlan& plan, TurnTaker& taker);

}  // namespace tokenyard
