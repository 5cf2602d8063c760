#pragma once

#include <cstdint>
#include <span>
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
  /// One a slot, in slot order; null: it has left since. The first are those of the cohort, whose
  /// slots are those of the next iteration already once the end of this one was taken.
  std::vector<LiveRequest*> members;
  bool launched = false;  ///< it was decided and its end was not taken yet
};

/// Turns the ranking into a batch: walks from the best, grants tokens and blocks, and takes blocks
/// from the worst when they lack. The rules are those of docs/architecture.md, "Timing rules"; the
/// cost of a walk is that of the batch, however many requests wait.
class BatchFormer {
 public:
  BatchFormer(ServerState& state, Swapper& swapper);

  /// Fills `out` (emptied first) with the best batch at this instant; it may stay empty.
  void form(InFlight& out);

  /// After the end of the iteration of `ended` was taken: makes its best-ranked members that decode
  /// on the cohort, so that the next walk begins behind them unless something comes between. Null
  /// members have left; those of the cohort that were told of their progress are detached; `all_stay`:
  /// there are none.
  void keep(InFlight& ended, bool all_stay);
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
  RankIndex::Order::iterator go_on(InFlight& out);
  bool stays(InFlight& ended, std::size_t member, bool may_stay, std::size_t place);
  bool joins(InFlight& ended, std::size_t member, std::size_t place);
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
};

}  // namespace tokenyard
