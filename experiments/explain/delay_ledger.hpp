#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "experiments/statistics/distribution.hpp"
#include "sim/ports/observer.hpp"

namespace tokenyard {

/// Who is told apart in a ledger of delays, by dense request id.
struct DelayGroups {
  static constexpr std::uint32_t kNone = 0xffffffff;

  std::vector<std::uint32_t> waiting;  ///< the group it waits in, below `waiting_groups`, or kNone
  std::vector<std::uint32_t> running;  ///< the group it delays others in, below `running_groups`
  std::size_t waiting_groups = 0;
  std::size_t running_groups = 0;
};

/// When in its life a request waits.
enum class Waiting : std::uint8_t { first_turn, later };

/// Who waited for whom, in whole nanoseconds that add up exactly.
///
/// A request waits whenever it is in the system and not in the batch: before its first turn, held
/// back, evicted, or while its KV is copied. (A request whose KV is computed again is in the batch:
/// that is its own work.) Each nanosecond that it waits goes to the requests of the batch that ran
/// meanwhile, and to nobody where none ran.
///
/// An iteration of W new tokens, or the part of it in which a request waited, of d ns, is shared
/// out in the batch's order: who brings its tokens from W1 to W2 gets floor(d W2 / W) -
/// floor(d W1 / W) ns. The shares are those of the tokens to within a nanosecond, sum to d
/// exactly, and favour nobody for long. Tokens, since they are what the scheduler grants within
/// --max-num-batched-tokens, and the only measure of work that all cost models have in common: a
/// long prompt answers for nearly all of an iteration that it stretches, and a batch of decodes for
/// equal parts.
///
/// Work is O(batch + groups that wait x groups that run) an iteration, O(batch) an arrival; nothing
/// depends on how many wait. For executors that hold one iteration at a time. On a wall clock, what
/// passes between an iteration's end and the next one's begin is time in which nothing ran. One
/// object serves one run, from the loop's thread.
class DelayLedger final : public Observer {
 public:
  explicit DelayLedger(DelayGroups groups);

  void decided(Time now, const Iteration& iteration, const IterationFacts& facts) override;
  void completed(Time now, const Iteration& iteration) override;
  void entered(RequestId request, Phase phase, Time now) override;
  void ended(const RequestFacts& facts) override;

  /// The nanoseconds that the requests of group `waiting` waited while those of group `running`
  /// ran.
  WideInteger behind(std::size_t waiting, Waiting when, std::size_t running) const {
    return delays_[row(waiting, when) * columns_ + running];
  }
  /// The same while nothing ran.
  WideInteger idle(std::size_t waiting, Waiting when) const {
    return delays_[row(waiting, when) * columns_ + columns_ - 1];
  }
  /// All that they waited.
  WideInteger waited(std::size_t waiting, Waiting when) const;
  /// How long they were in the batch: each is charged the whole of each iteration.
  WideInteger ran(std::size_t waiting) const { return ran_[waiting]; }
  /// How many of the group were admitted.
  std::int64_t requests(std::size_t waiting) const { return requests_[waiting]; }

 private:
  /// A request's place in the batch that runs, or ran last.
  struct Share {
    std::uint32_t group;
    std::int64_t tokens_until;  ///< its own and those of the batch before it
  };

  static std::size_t row(std::size_t group, Waiting when) {
    return 2 * group + static_cast<std::size_t>(when);
  }
  std::uint32_t waiting_group(RequestId request) const {
    return groups_.waiting.at(index(request));
  }
  void share_out(Duration part);
  void nothing_ran_until(Time now);

  DelayGroups groups_;
  std::size_t columns_;
  std::vector<WideInteger> delays_;  ///< rows of `columns_`, the last for when nothing ran
  std::vector<WideInteger> ran_;
  std::vector<std::int64_t> requests_;

  std::vector<bool> started_;         ///< by request
  std::vector<std::int64_t> live_;    ///< by row: requests in the system
  std::vector<std::int64_t> inside_;  ///< by group: those of them in the batch
  /// By row: those that wait while it runs. (Who ends with it has left when its end is told.)
  std::vector<std::int64_t> waiting_;

  bool runs_ = false;
  std::vector<Share> batch_;
  Time begun_ = kOrigin;
  Time ended_ = kOrigin;   ///< of the iteration that ran last
  Time booked_ = kOrigin;  ///< up to here all is, unless an iteration runs; not before `ended_`

  std::vector<std::int64_t> shares_;    ///< by running group, of the part being shared out
  std::vector<std::uint32_t> touched_;  ///< the groups that have one
};

}  // namespace tokenyard
