#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "sim/ports/events.hpp"
#include "sim/ports/executor.hpp"
#include "sim/server/scheduler.hpp"

namespace tokenyard {

/// What a replica ranks its requests and carries its decisions out with; made anew whenever it
/// starts.
struct ReplicaParts {
  std::unique_ptr<Policy> policy;
  std::unique_ptr<Executor> executor;
};

/// What all replicas share; owned by the composition.
struct ReplicaPorts {
  const CostModel& advising_cost;
  const LengthPredictor* predictor;
  const OutputOracle* oracle;
  Observer& observer;
};

/// What a failed replica leaves behind.
struct Wreck {
  std::vector<Handoff> live;     ///< by id
  std::vector<Event> untaken;    ///< arrivals and cancellations that waited for a boundary
  std::vector<RequestId> ended;  ///< those that had nothing more to wait for
};

/// One server of a fleet: a scheduler, what it decides with and for, and its own part of the queue
/// of events: the ends of its iterations and copies, and what was sent to it. It waits and passes
/// as the loop of a single server does (serve.hpp), in two halves: `take`, and `decide` when the
/// others have taken too. Used by the fleet's loop alone.
///
/// While a macro-step is in flight, somebody who looks at this replica or sends something must
/// find it as if it had stepped one by one: `come_to` books what has ended, and `post` ends the
/// macro-step with the first boundary at which what is posted is taken.
class Replica {
 public:
  Replica(ReplicaId id, const ServerSettings& settings, const ReplicaPorts& ports, bool hands_over)
      : id_(id), settings_(settings), ports_(ports), hands_over_(hands_over) {}
  ~Replica();
  Replica(const Replica&) = delete;
  Replica& operator=(const Replica&) = delete;

  ReplicaId id() const { return id_; }
  bool is_up() const { return scheduler_.has_value(); }
  Scheduler& scheduler() { return *scheduler_; }

  void start(ReplicaParts parts, Time now);
  /// All that it held and did is lost. Precondition: `come_to(now)`.
  Wreck fail(Time now);

  /// When it has something to do; kNever while it is down.
  Time next_time() const { return next_; }

  /// Books what has ended at `now`. `passed`: the decisions of this instant have been made, so that
  /// a boundary that falls on it lies behind. Otherwise such a boundary is where the macro-step
  /// ends; returns whether there is one.
  bool come_to(Time now, bool passed);
  /// Posts what is due at `at`; `passed` as above, where that is now.
  void post(Time at, std::uint64_t key, Events::Payload payload, bool passed);
  /// Takes back the end of a copy.
  void withdraw(CopyId copy);

  /// Takes what is due.
  void take(Time now);
  bool has_taken() const { return has_taken_; }
  /// Takes what has come since, and decides.
  const Iteration& decide(Time now);
  /// A further pass at the same instant.
  const Iteration& decide_more(Time now);
  /// Carries the decision out.
  void begin(const Iteration& iteration, Time now);
  /// The arrivals and all else that the last pass took.
  std::span<const Event> taken() const { return due_; }
  /// The passes of this instant are over.
  void end_passes(Time now);

  /// Requests sent here that have not left.
  std::int64_t outstanding = 0;
  /// Their tokens.
  std::int64_t outstanding_tokens() const { return scheduler_->live_tokens() + posted_tokens_; }

 private:
  template <typename Change>
  void change_macro_step(Change change);
  void shorten(Event& event, IterationEnd& end, std::size_t count);
  void find_next();

  const ReplicaId id_;
  const ServerSettings& settings_;
  const ReplicaPorts& ports_;
  const bool hands_over_;
  std::uint64_t next_number_ = 0;
  ReplicaParts parts_;
  std::optional<Scheduler> scheduler_;  // none: it is down
  Events events_;
  std::vector<Event> due_, late_;
  bool has_taken_ = false;
  std::int64_t posted_tokens_ = 0;  // of arrivals that wait for a boundary
  IterationId running_{};
  /// Iterations in flight as the executor sees them, without the copies that the fleet carries out.
  std::map<IterationId, Iteration> without_pulls_;
  bool repeats_ = false;            // what runs may be a macro-step
  std::vector<SlotOutcome> go_on_;  // outcomes of which there is nothing to say
  Time asked_at_ = kOrigin;         // when it last had a say
  Time next_ = kNever;
};

}  // namespace tokenyard
