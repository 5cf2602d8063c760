#pragma once

#include <boost/intrusive/set.hpp>
#include <cstdint>
#include <deque>
#include <limits>
#include <vector>

#include "sim/ports/observer.hpp"
#include "sim/ports/ranking.hpp"
#include "sim/ports/request.hpp"
#include "sim/ports/request_view.hpp"
#include "sim/server/block_manager.hpp"

namespace tokenyard {

struct RankingTag;
struct ResidentTag;
using RankingHook = boost::intrusive::set_base_hook<boost::intrusive::tag<RankingTag>>;
using ResidentHook = boost::intrusive::set_base_hook<boost::intrusive::tag<ResidentTag>>;

/// One of the sequences that a request decodes.
struct Sequence {
  std::int32_t number = 0;  ///< which, from 0
  BlockTable blocks;
  BlockTable host_blocks;  ///< where its KV is, or is being copied to or from
};

/// The server's whole knowledge of one live request. Policies see `view` alone.
struct LiveRequest : RankingHook, ResidentHook {
  RequestView view;
  RequestFacts facts;

  // Place in the ranking; `held` is set while it is out of the order.
  RankKey key;
  bool held = true;

  // KV memory; `RequestMemory` and `Swapper` keep it.
  std::vector<Sequence> sequences;  ///< the unfinished ones, at least one, by number
  BlockTable reserved;              ///< blocks that its tables will grow into
  std::int64_t reserve_tokens =
      0;  ///< tokens a sequence is given room for on entry; 0 = page by page
  /// Blocks that are counted as its table's last, of which is left open which they are; only of a
  /// request of one sequence.
  std::int64_t pledged = 0;
  std::int64_t covered_tokens = 0;  ///< tokens that the table of a single sequence has room for
  std::int64_t stored_tokens = 0;   ///< tokens in its tables, a shared one counted each time
  std::int64_t computed_peak = 0;   ///< most tokens ever computed; below it work is repeated
  std::vector<BlockHash> output_hashes;  ///< contents of the blocks after those of the prompt
  std::int64_t sealed_blocks = 0;        ///< blocks of its table whose content is named
  std::int64_t times_evicted = 0;        ///< how often it lost its KV
  bool settled = false;  ///< it has lost its KV as often as it may, and keeps it from now on

  /// Another replica holds its KV, or it is on its way from there: what stands in place of its host
  /// blocks are blocks of that replica.
  bool is_remote = false;

  // Where it is.
  bool in_flight = false;  ///< in an iteration whose end has not been taken
  bool in_cohort = false;  ///< its counts may lag behind; `Cohort` keeps the next two
  std::int64_t joined_tokens = 0;
  Duration joined_served{0};
  Duration untold{0};             ///< service that its policy has not been told of
  bool done = false;              ///< produced all its tokens; waits for its static batch to end
  bool cancel_requested = false;  ///< to be cancelled when its iteration ends
  std::uint64_t evicted_in = 0;   ///< number of the pass that last evicted it

  // Its time.
  Phase phase = Phase::queue;
  Time phase_since = kOrigin;
  Time last_token = kOrigin;

  bool resident() const { return !sequences.front().blocks.empty() || pledged > 0; }
  /// Whether its sequences have tables of their own; until the prompt is computed there is one.
  bool forked() const { return sequences.size() == 1 || !sequences[1].blocks.empty(); }
  /// Whether another may take its blocks.
  bool may_lose_blocks() const { return !settled || held; }
  /// It loses its KV. At the `most`th time (0 = never) it settles: when it comes back it is given
  /// room for all it may ever produce, so it never needs more, and keeps it.
  void count_eviction(std::int64_t most) {
    if (++times_evicted != most) return;
    settled = true;
    reserve_tokens = view.prompt_tokens + view.max_tokens;
  }
  bool moving() const { return view.kv == KvPlace::moving_out || view.kv == KvPlace::moving_in; }
};

/// The live requests, by dense id. Addresses are stable while a request lives; slots are recycled,
/// so a long run costs four bytes a finished request.
class LiveTable {
 public:
  LiveRequest& insert(const Request& request);
  void erase(LiveRequest& live);

  /// The live request, or nothing if it has not arrived or has ended.
  LiveRequest* find(RequestId id);
  const LiveRequest* find(RequestId id) const;

  std::size_t size() const { return slots_.size() - free_.size(); }

  /// Calls `visit(LiveRequest&)` for each live request in no particular order; for diagnosis and
  /// audits only, never for decisions.
  template <typename Visit>
  void for_each(Visit visit) {
    for (const auto slot : slot_of_) {
      if (slot != kNone) visit(slots_[slot]);
    }
  }

 private:
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

  std::deque<LiveRequest> slots_;
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> slot_of_;  // by RequestId
};

}  // namespace tokenyard
