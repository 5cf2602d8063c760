#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "sim/ports/events.hpp"
#include "sim/ports/iteration.hpp"
#include "sim/ports/request.hpp"

namespace tokenyard {

/// How a request ended.
enum class End : std::uint8_t { finished, rejected, cancelled };

/// What a live request is doing with its time. The five sum to its time in the system.
enum class Phase : std::uint8_t {
  queue,      ///< arrival to first scheduled
  prefill,    ///< running before its first token
  decode,     ///< running after its first token
  preempted,  ///< held back or evicted after the first schedule, recomputation included
  swap        ///< waiting for copies of its KV
};
inline constexpr std::size_t kPhases = 5;

/// The facts of one ended request.
struct RequestFacts {
  Request request;
  End end = End::finished;
  ReplicaId replica{};               ///< where it ended
  std::string_view reason;           ///< why it was rejected; a literal
  std::int64_t output_tokens = 0;    ///< tokens of its output; of the longest where several
  std::int64_t sequence_tokens = 0;  ///< tokens of all its sequences together
  std::int64_t cached_tokens = 0;    ///< prompt tokens found in the prefix cache at the first start
  Time first_scheduled = kNever;     ///< kNever: never
  Time first_token = kNever;         ///< kNever: none
  Time ended = kOrigin;
  Duration phases[kPhases] = {};
  std::int64_t preemptions = 0;  ///< times it left the running batch unfinished, blocks kept or not
  std::int64_t swaps_out = 0;
  std::int64_t swaps_in = 0;
  std::int64_t recomputed_tokens = 0;
};

/// The state of the server when an iteration was decided.
struct IterationFacts {
  std::int64_t kv_blocks_used = 0;      ///< device blocks in use, a shared one counted once
  std::int64_t kv_blocks_shared = 0;    ///< of these, blocks that stand in several tables
  std::int64_t kv_blocks_saved = 0;     ///< blocks more that would be in use without sharing
  std::int64_t kv_blocks_cached = 0;    ///< free blocks whose content can be found again
  std::int64_t kv_blocks_draining = 0;  ///< blocks that only a copy to the host still reads
  std::int64_t kv_tokens_unused = 0;    ///< places for tokens in blocks in use that hold none
  std::int64_t waiting = 0;             ///< live requests outside this iteration
  std::int64_t blocks_out = 0;          ///< blocks whose copy to the host begins with it
  std::int64_t blocks_in = 0;           ///< blocks whose copy back begins with it
};

/// The end of one iteration of a macro-step and the decision of the next at the same instant, as
/// far as an observer may be told in short.
struct StepFacts {
  Time at = kOrigin;
  std::int64_t kv_blocks_used = 0;
  std::int64_t kv_tokens_unused = 0;
};

/// Watches a run and never steers it: the recorder, the timeline and the test hooks are observers.
/// Every hook has an empty default. Called from the loop's thread.
class Observer {
 public:
  virtual ~Observer() = default;

  virtual void fed(Time now, std::span<const Event> due);
  /// What a pass returned, perhaps nothing; a macro-step once, as it was decided. Each `fed` is
  /// followed by one of these or more: the first pass took what was due, the others nothing.
  virtual void passed(Time now, const Iteration& decision);
  /// Macro-steps are shown as the iterations that they stand for (or by `stepped`).
  virtual void decided(Time now, const Iteration& iteration, const IterationFacts& facts);
  /// The iteration's end was taken at `now`.
  virtual void completed(Time now, const Iteration& iteration);
  /// `count` sequences yielded a token at `now`, `gap` after their previous one.
  virtual void token_gaps(Time now, Duration gap, std::int64_t count);
  /// For those who `take_steps_together`, in place of `completed` and `decided` at each of `steps`,
  /// and of `token_gaps` at each but the first: `sequences` sequences of `iteration`, whose
  /// decision was told of as usual, yielded a token at each of these instants and went on. (The end
  /// of the last iteration of a macro-step is told of as usual, too.)
  virtual void stepped(const Iteration& iteration, std::int64_t sequences,
                       std::span<const StepFacts> steps);
  /// Stage `stage` of a pipeline will be busy with the iteration from `begun` to `ended`; told when
  /// it begins in the first one.
  virtual void staged(const Iteration& iteration, std::size_t stage, Time begun, Time ended);
  virtual void entered(RequestId request, Phase phase, Time now);
  virtual void ended(const RequestFacts& facts);

  /// Whether it wants to hear of iterations and token gaps.
  virtual bool watches_iterations() const { return true; }
  /// Whether all that it wants to know of a macro-step but its last end may come in one `stepped`.
  virtual bool takes_steps_together() const { return !watches_iterations(); }
  /// Whether it looks at the slots of iterations. Within a macro-step they are kept up to date for
  /// those who do; the number of slots is always right.
  virtual bool watches_slots() const { return false; }
  /// Whether it looks at block tables, as an executor may (`Executor::reads_tables`). To be known
  /// when the server is built.
  virtual bool reads_tables() const { return watches_slots(); }
};

inline void Observer::fed(Time, std::span<const Event>) {}
inline void Observer::passed(Time, const Iteration&) {}
inline void Observer::decided(Time, const Iteration&, const IterationFacts&) {}
inline void Observer::completed(Time, const Iteration&) {}
inline void Observer::token_gaps(Time, Duration, std::int64_t) {}
inline void Observer::stepped(const Iteration&, std::int64_t, std::span<const StepFacts>) {}
inline void Observer::staged(const Iteration&, std::size_t, Time, Time) {}
inline void Observer::entered(RequestId, Phase, Time) {}
inline void Observer::ended(const RequestFacts&) {}

}  // namespace tokenyard
