#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "sim/ports/iteration.hpp"
#include "sim/server/server_state.hpp"
#include "sim/server/swapper.hpp"

namespace tokenyard {

/// Whether blocks can be had: at once, when copies under way have ended, or not by this request.
enum class Room : std::uint8_t { now, later, no };

/// A request that gave its blocks to another, and how.
struct Evicted {
  LiveRequest* live = nullptr;
  Eviction how = Eviction::recompute;
};

/// An iteration from its forming until its end is taken.
struct InFlight {
  Iteration iteration;
  /// One a slot, in slot order; null: it has left since. Once the end of this iteration was taken,
  /// those of the cohort, whose slots are those of the next one already.
  std::vector<LiveRequest*> members;
  std::size_t cohort_at = 0;  ///< the slot of the cohort's first member
  bool launched = false;      ///< it was decided and its end was not taken yet
};

/// Turns the ranking into a batch: walks from the best, grants tokens and blocks, and takes blocks
/// from the worst when they lack. The rules are those of docs/architecture.md, "Timing rules"; the
/// cost of a walk is that of the batch, however many requests wait.
class BatchFormer {
 public:
  BatchFormer(ServerState& state, Swapper& swapper);

  /// Fills `out` (emptied first) with the best batch at this instant; it may stay empty.
  void form(InFlight& out);

  /// After the end of the iteration of `ended` was taken: lets those of its members who decode on
  /// one behind the other be the cohort, which the next walk takes as one unless something comes
  /// between. Null members have left; those of the cohort that were told of their progress are
  /// detached; `told` are their slots.
  void keep(InFlight& ended, std::span<const std::size_t> told);
  /// Dissolves the cohort, whose members are the first of `ended`.
  void keep_none(InFlight& ended);

  /// Static batching: the next step of the batch that `out.members` holds from its last iteration.
  /// Returns whether any unfinished member is still in it.
  bool continue_static(InFlight& out);

  /// Whether the last batch holds one prompt that is longer than any iteration may be.
  bool holds_oversized_prefill() const { return has_oversized_prefill_; }

  /// Whether the last batch's requests come first in the ranking, without a gap.
  bool batch_leads() const { return leads_; }
  /// Whether free blocks are promised to requests outside the last batch, so that its members run
  /// on what they have.
  bool blocks_are_promised() const { return closed_; }

  /// Whether forming the last batch took free blocks whose content could have been found.
  bool took_cached() const { return state_.blocks.cached() < cached_before_; }

  /// The requests that lost their blocks in the last call, in the order of eviction.
  const std::vector<Evicted>& evicted() const { return evicted_; }

 private:
  void start(InFlight& out);
  void reset(InFlight& out);
  bool is_empty(const InFlight& out) const;
  bool can_take_cohort();
  void take_cohort(InFlight& out);
  void fulfil(LiveRequest& live);
  void keep_told(InFlight& ended, std::size_t slot);
  void take_apart(InFlight& ended, std::size_t begin, std::size_t end);
  void join_apart(InFlight& ended);
  std::pair<std::size_t, std::size_t> find_joining(InFlight& ended);
  void dissolve(InFlight& ended, std::size_t begin, std::size_t end);
  static void erase_slots(InFlight& batch, std::size_t begin, std::size_t end);
  void dissolve(LiveRequest& live);
  std::int64_t grant_tokens(const LiveRequest& live, std::int64_t start) const;
  bool has_places(const LiveRequest& live, std::int64_t claimed) const;
  void add_guests(InFlight& out);
  Room take(InFlight& out, LiveRequest& live);
  bool goes_on_decoding(const LiveRequest& live) const;
  void add_decode(InFlight& out, LiveRequest& live);
  Room bring_back(LiveRequest& live);
  Room secure_blocks(InFlight& out, LiveRequest& live, std::int64_t tokens);
  Room make_room(const LiveRequest& live, std::int64_t blocks, std::span<const BlockId> found);
  void give_way(LiveRequest& victim);
  void evict(LiveRequest& victim);
  void add(InFlight& out, LiveRequest& live, std::int64_t new_tokens);
  void add_slot(InFlight& out, LiveRequest& live, Slot slot);

  ServerState& state_;
  Swapper& swapper_;
  const Limits& limits_;
  // Of the batch being formed:
  InFlight* out_ = nullptr;
  bool cohort_waits_ = false;      // its members are the first in `out_`, and not reached yet
  std::int64_t cohort_lacks_ = 0;  // how many of them lack a block
  std::int64_t places_left_ = 0;
  std::int64_t tokens_left_ = 0;
  std::int64_t cached_before_ = 0;
  bool has_prefill_ = false;
  bool has_oversized_prefill_ = false;
  bool passed_over_ = false;  // somebody in the ranking
  bool leads_ = false;        // nobody was passed over for another
  bool closed_ = false;       // free blocks are promised: who follows runs on the blocks it has
  std::vector<Evicted> evicted_;
  std::vector<LiveRequest*> victims_;
  std::vector<LiveRequest*> static_members_;
  std::vector<LiveRequest*> apart_;  // of the batch that ended: in no cohort, for now
};

}  // namespace tokenyard
