#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "sim/server/batch_former.hpp"
#include "sim/server/server_state.hpp"
#include "sim/server/swapper.hpp"

namespace tokenyard {

/// Macro-steps: iterations in a row between which nothing but progress can happen, decided once and
/// booked at once. The result is that of single steps to the last byte, which rests on this:
/// while the ranking stands and nothing is due, a walk that found the batch finds it again. Tokens
/// and places are taken as before; each member that needs a block gets it, because there are enough
/// for all; and who was refused stays refused, because free blocks become fewer, and what a victim
/// has more is what the pool has less. Not thread-safe.
class MacroSteps {
 public:
  MacroSteps(ServerState& state, const BatchFormer& former, Swapper& swapper)
      : state_(state), former_(former), swapper_(swapper) {}

  /// How often the batch that was just formed may run in a row.
  Repeat allow(const InFlight& next);

  /// Books all but the last of the iterations that ended at `ends`; the last is then what is in
  /// flight. Tells the observer of their ends and of the decisions between, and takes the blocks
  /// they needed. `next_iteration` is the id of the next.
  void book_all_but_last(InFlight& in_flight, std::span<const Time> ends,
                         std::uint64_t& next_iteration);

 private:
  const LiveRequest* going_on_prefilling(const InFlight& next) const;
  std::int64_t most_with(const LiveRequest& prefill, const InFlight& next, Repeat& repeat) const;
  bool all_run(const InFlight& next) const;
  std::int64_t with_blocks(const InFlight& next, std::int64_t most,
                           const LiveRequest* prefill) const;
  std::int64_t blocks_needed(const InFlight& next, std::int64_t iterations) const;
  template <typename Visit>
  void for_others(InFlight& in_flight, Visit visit) const;
  void find_growth(InFlight& in_flight, std::int64_t iterations);
  Duration unmoved_for(const InFlight& next) const;
  Time next_telling() const;
  void pass_end(InFlight& in_flight, Time at);
  void catch_up_cohort(Time at);
  void tell(InFlight& in_flight, Time at);
  void count_first_gaps(InFlight& in_flight, Time at);
  void step_on(InFlight& in_flight, std::span<const Time> ends);
  void show_steps(InFlight& in_flight, std::span<const Time> ends, std::uint64_t& next_iteration);
  void grow_into_reserved(InFlight& in_flight, std::int64_t iterations);
  void give_tables(InFlight& in_flight, bool all);
  void move_load(Iteration& iteration);
  static void move_slots(Iteration& iteration, std::int64_t iterations);

  ServerState& state_;
  const BatchFormer& former_;
  Swapper& swapper_;
  std::vector<const RequestView*> running_;
  std::vector<std::int64_t> grown_;  ///< blocks that go into tables before which iteration
  std::vector<StepFacts> steps_;
  // Of the iterations being booked:
  Time caught_up_ = kOrigin;  ///< what the cohort has counted, and
  Time tell_at_ = kNever;     ///< when the policy must hear of one of its members
  std::int64_t ended_ = 0;    ///< iterations
  std::int64_t caught_up_ended_ = 0;
  Repeat left_;  ///< of the permission
  std::vector<std::size_t> told_;
};

}  // namespace tokenyard
