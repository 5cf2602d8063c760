#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include "sim/ports/events.hpp"
#include "sim/ports/iteration.hpp"
#include "sim/server/batch_former.hpp"
#include "sim/server/handoff.hpp"
#include "sim/server/macro_steps.hpp"
#include "sim/server/server_state.hpp"

namespace tokenyard {

/// Which of several servers behind a router a scheduler is; one alone is the first.
struct ReplicaPlace {
  ReplicaId replica{};
  std::uint64_t first_number = 0;  ///< of its iterations, and of its copies
  /// Requests go on elsewhere as soon as they have yielded a token here (prefill/decode
  /// disaggregation); `take_departed` tells of them.
  bool hands_over = false;
  bool reads_tables = true;  ///< its executor does
};

/// The serving core as a state machine: (now, events) -> Iteration, within the limits. It knows no
/// clock, thread, file or mode; given the same calls it decides the same. Used by one thread.
class Scheduler {
 public:
  /// `depth` is how many iterations the executor holds at once.
  Scheduler(const ServerSettings& settings, const ServerPorts& ports, int depth,
            const ReplicaPlace& place = {});

  /// Takes what is due, in the order of the timing rules (progress in ranking order,
  /// cancellations, promotions, arrivals), and decides the next iteration; empty when there is
  /// nothing to do or the executor is full. The result stays valid until its end is taken.
  const Iteration& pass(Time now, std::span<const Event> due);

  // The same in parts, for a loop that has something to do in between: begin, take what is due (in
  // one call or several), decide. Of arrivals only `decide` takes notice, and of all others `take`.
  void begin_pass(Time now);
  void take(std::span<const Event> due);
  const Iteration& decide(std::span<const Event> due);

  /// Whether nobody is live.
  bool drained() const { return state_.live.size() == 0; }
  /// When the policy wants to be asked again although nothing happens; never while the executor
  /// is full, since nothing could be decided then.
  Time wake_at() const {
    return can_decide_more() ? state_.ports.policy.wake_at(state_.context) : kNever;
  }
  /// Which kinds of events are worth waking for (see `kKindsWhileBusy`).
  std::size_t kinds_awaited() const {
    return idle_.empty() || first_stage_busy_ ? kKindsWhileBusy : Events::kKinds;
  }
  /// Whether a further pass could decide another iteration.
  bool can_decide_more() const {
    return !first_stage_busy_ && (!idle_.empty() || !static_batches_.empty());
  }
  bool anything_in_flight() const {
    return idle_.size() < in_flight_.size() || swapper_.in_progress() > 0;
  }

  /// The requests that ended in the last pass.
  const std::vector<RequestId>& ended() const { return ended_; }

  // For several replicas, see fleet.hpp.

  /// The requests that were handed over since the last call, in ranking order.
  std::vector<Handoff> take_departed();
  /// The server fails: what is in flight ends without effect, and all KV is lost. Returns the live
  /// requests, by id, as they go on elsewhere; those that have nothing more to wait for end here
  /// (see `ended`). Precondition: a pass has begun. Nothing else may be called afterwards but
  /// `ended` and `next_number`.
  std::vector<Handoff> abandon(Time now);
  /// Of the macro-step in flight: books what has ended at all but the last of `ends`, with which
  /// its next iteration will end. Returns the id under which it goes on. Precondition: these are
  /// its first ends, of which there are more, or all.
  IterationId book_all_but_last(std::span<const Time> ends);
  /// Prompt tokens of the live requests, and what they have produced.
  std::int64_t live_tokens() const { return live_tokens_ + state_.tokens_produced; }
  /// Whether nobody is live and no block is in use, on the device or on the host.
  bool holds_nothing() const;
  /// How many tokens at the beginning of the prompt are in the prefix cache.
  std::int64_t known_prefix_tokens(const Request& request);
  /// A number that no iteration and no copy has had.
  std::uint64_t next_number() const { return std::max(next_iteration_, swapper_.next_copy()); }

  /// Who holds which blocks and who waits for what: the words of a run that is stuck.
  std::string explain();

  /// Counts blocks again from all tables (invariant I2, second half).
  void audit();

 private:
  void complete(const IterationEnd& end, Time at);
  void complete(const StageFree& free);
  void complete(const CopyEnd& end, Time at);
  static bool decoded_on(const LiveRequest& live, const Slot& slot, const SlotOutcome& outcome);
  void progress(LiveRequest& live, const SlotOutcome& outcome, Duration ran, Time at);
  void progress_of_cohort(InFlight& batch, const IterationEnd& end, Duration ran, Time at);
  void find_told(InFlight& batch, const IterationEnd& end, Duration ran);
  bool progress(LiveRequest& live, std::span<const Slot> slots,
                std::span<const SlotOutcome> outcomes, Duration ran, Time at);
  void produce_token(LiveRequest& live, std::size_t sequences, Time at);
  void finish_static_batch(InFlight& batch, Time at);
  void cancel(LiveRequest& live, Time now);
  void arrive(const Request& request, Time now);
  void leave(LiveRequest& live, End end, Time at);
  void accept(const Handoff& handoff);
  void hand_over_departing();
  void remove(LiveRequest& live);
  const Iteration& decide_at(Time now);
  void launch(InFlight& next, Time now);
  InFlight* form(Time now);
  void set_back_those_left_out(Time now);
  void tell_evictions();

  ServerState state_;
  Swapper swapper_;
  BatchFormer former_;
  MacroSteps macro_steps_;
  std::deque<InFlight> in_flight_;  // one a place of the executor
  std::vector<InFlight*> idle_;
  std::vector<InFlight*> static_batches_;  // between their iterations
  bool first_stage_busy_ = false;          // with the iteration begun last; only of several stages
  std::vector<std::size_t> told_;          // members of the cohort whose progress is told of
  std::vector<RequestId> cancelled_before_arrival_;
  std::vector<RequestId> ended_;
  const ReplicaPlace place_;
  std::vector<RequestId> departing_;  // have yielded a token, and go on elsewhere
  std::vector<Handoff> departed_;
  std::int64_t live_tokens_ = 0;  // without what was produced here
  std::uint64_t next_iteration_;
  std::int64_t waiting_ = 0;  // admitted and never scheduled yet
  std::int64_t iterations_without_token_ = 0;
  std::int64_t blocks_out_ = 0;  // of copies that began since the last iteration was decided
  std::int64_t blocks_in_ = 0;
  Time last_pass_ = kOrigin;
  Iteration copies_alone_;  // what a pass returns that formed no batch
};

}  // namespace tokenyard
