#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "sim/server/live_table.hpp"

namespace tokenyard {

/// The best-ranked members of the batch that decode on, one token an iteration, as long as nothing
/// else happens to them. What an iteration changes is the same for all of them and is counted once,
/// so that it costs next to nothing a member; a member's own counts (`LiveRequest::view` and what
/// goes with it) are brought up to date when somebody looks at them. Members are numbered like the
/// slots of their batch. Not thread-safe.
class Cohort {
 public:
  explicit Cohort(std::int64_t block_size) : block_size_(block_size) {}

  std::size_t size() const { return base_.size(); }

  /// Adds `live`, which is up to date and has produced its last token with the others, with the
  /// number `member`; those from there on are one further. Its policy need not hear of the service
  /// it gets before that makes `indifferent_for`.
  void join(std::size_t member, LiveRequest& live, Duration indifferent_for);
  /// Takes `live` out, up to date; its number stays its own until `rejoin` or `erase`.
  /// Meanwhile it may make the same progress as the others.
  void detach(LiveRequest& live);
  void rejoin(std::size_t member, LiveRequest& live, Duration indifferent_for);
  /// Forgets the members from `first` up to `last`; those behind come up.
  void erase(std::size_t first, std::size_t last);

  /// Brings the counts of `live` up to date, if it is a member.
  void catch_up(LiveRequest& live) const;

  /// The next iteration has begun: members have the blocks that it needs.
  void begin() { begun_ = true; }
  /// Whether an iteration of theirs runs.
  bool begun() const { return begun_; }
  /// All members have produced so many tokens, the last of them at `at`. Invariant I8.
  void produce(std::int64_t tokens, Time at);
  /// Their iterations took `ran` together; `iteration` have begun so far.
  void serve(Duration ran, std::uint64_t iteration);

  /// When all members produced their last token.
  Time last_token() const { return last_token_; }
  /// Whether a member's policy must hear of it when it has been served for `ran` more.
  bool heeds(std::size_t member, Duration ran) const { return indifference(member) <= ran; }
  /// After how much service that may be so for one of them; never too late.
  Duration least_heed() const { return heed_from_ - served_; }
  /// Finds that anew, where it was too early.
  void find_least_heed();
  /// For how much more service the policy is indifferent to it; at most 0: it is not.
  Duration indifference(std::size_t member) const { return heed_at_[member] - served_; }

  /// Tokens that they attend to together in the next iteration.
  std::int64_t context_tokens() const {
    return base_sum_ + static_cast<std::int64_t>(size()) * (tokens_ + 1);
  }
  /// How many iterations a member can still make in the blocks it has.
  std::int64_t covered(std::size_t member) const { return block_at_[member] - tokens_; }
  /// Its table has grown by a block.
  void grow(std::size_t member) { block_at_[member] += block_size_; }
  /// Grants all members the blocks that they need in the next `iterations`, and adds to `grown[i]`
  /// how many that takes before the i-th (from 0); what they need before the first they have. One
  /// place more stands behind those of the iterations.
  void grow_all(std::int64_t iterations, std::vector<std::int64_t>& grown);
  /// Whether blocks may be reserved for one of the members.
  bool may_hold_reserved() const { return may_hold_reserved_; }
  /// How many members lack a block for the next iteration.
  std::int64_t lacking() const;

 private:
  void enter(std::size_t member, LiveRequest& live, Duration indifferent_for);
  void note_patience(std::size_t member, Duration indifferent_for);
  void note_joined(LiveRequest& live) const;

  static constexpr std::int64_t kNoBound = std::numeric_limits<std::int64_t>::max();

  std::int64_t block_size_;
  bool begun_ = false;
  bool may_hold_reserved_ = false;

  // Since the first member joined:
  std::int64_t tokens_ = 0;
  Duration served_{0};
  Time last_token_ = kOrigin;
  std::uint64_t last_iteration_ = 0;

  // A member each, so that what all need is read in a row.
  std::vector<std::int64_t> block_at_;  // value of `tokens_` at which it lacks a block
  std::vector<std::int64_t> limit_at_;  // the same, at which its `max_tokens` are produced
  std::vector<std::int64_t> base_;      // its computed tokens, less `tokens_`
  std::vector<Duration> heed_at_;       // value of `served_` at which its policy must hear of it
  std::int64_t base_sum_ = 0;
  // The least of a column, or less since members have left.
  std::int64_t limit_from_ = kNoBound;
  Duration heed_from_ = Duration::max();
};

}  // namespace tokenyard
