#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <utility>
#include <vector>

#include "sim/ports/events.hpp"
#include "sim/ports/iteration.hpp"
#include "sim/server/server_state.hpp"

namespace tokenyard {

/// Moves KV between device and host: begins copies, books their ends, and looks ahead (proactive
/// swapping after FastServe, Wu et al., NSDI 2026, section 4.2). Who is moved is decided by the
/// ranking and the policy's estimate of the next scheduled time; how long a copy takes is the
/// executor's business. A draining block is not free, and a request does not run, before its copy
/// has ended.
class Swapper {
 public:
  /// Copies are numbered from `first_copy` on.
  explicit Swapper(ServerState& state, std::uint64_t first_copy = 0);

  /// The watermark in blocks, at this instant.
  std::int64_t watermark_blocks();
  /// Notes an arrival, for a watermark that follows them.
  void note_arrival(const Request& request);

  /// Whether there is room on the host for what `live` has computed.
  bool has_host_room(const LiveRequest& live) const;
  /// Whether swapping `live` out and in takes less time than computing its tokens again.
  bool is_cheaper(const LiveRequest& live) const;

  /// Begins to copy a resident out. Precondition: there is host room.
  void swap_out(LiveRequest& live);
  /// Begins to copy back a request that is on the host or at another replica. Precondition: there
  /// is room for `RequestMemory::blocks_to_return`.
  void swap_in(LiveRequest& live);

  /// A request that holds blocks goes on at another replica: its blocks drain until the end of the
  /// copy that is returned. `tables` become those of its sequences.
  CopyId part_with(LiveRequest& live, std::vector<BlockTable>& tables);
  /// That copy has ended: the blocks are free. False: `id` is no such copy.
  bool finish_handing_over(CopyId id);

  /// A copy has ended. Returns its request. Where the copy failed, its KV is lost: it is nowhere,
  /// and must be computed again.
  LiveRequest* finish(const CopyEnd& end);

  /// Notes who waits for blocks that drain, or nobody: it runs when they are free, so it is not
  /// copied out ahead of need.
  void spare(const LiveRequest* live) { spared_ = live; }

  /// Proactive swapping, after a batch was formed: while fewer blocks than the watermark are idle,
  /// copies out residents that do not run, the latest expected first; otherwise copies back what
  /// is on the host, the soonest expected first, as long as that many stay idle. Without a
  /// watermark, one block a sequence of a batch is kept idle, at most a quarter of the pool.
  void look_ahead();

  /// How many free blocks may be used before `look_ahead`, which has just had its say, would move
  /// anybody while no copy ends and the same requests run; negative: it may at any time.
  std::int64_t blocks_before_it_acts();

  /// The copies that began since the last call.
  std::vector<KvCopy> take_begun();
  /// The number of the next copy.
  std::uint64_t next_copy() const { return next_copy_; }
  std::int64_t in_progress() const { return static_cast<std::int64_t>(copies_.size()); }

  /// Forgets a request that leaves: its host blocks are free.
  void forget(LiveRequest& live);

  /// Tables that copies hold, for audits.
  void add_tables(std::vector<const BlockTable*>& device) const;

 private:
  struct Copy {
    KvCopy copy;
    std::vector<BlockId> device;  // what `copy` refers to: each block once
    std::vector<BlockId> host;
    std::vector<BlockTable> draining;  // device tables on their way out
  };

  void begin(LiveRequest& live, CopyDirection direction, Copy copy);
  void trim(LiveRequest& live);
  void release_host_blocks(LiveRequest& live);
  std::int64_t recent_blocks();
  std::int64_t idle_blocks();
  void copy_out_latest();
  void copy_in_soonest();
  void sort_by_next_scheduled(std::vector<LiveRequest*>& requests, bool soonest_first);

  ServerState& state_;
  std::map<CopyId, Copy> copies_;  // few at a time; ordered, so nothing depends on a hash
  std::map<CopyId, std::vector<BlockTable>> handed_over_;  // draining
  std::vector<KvCopy> begun_;
  std::vector<LiveRequest*> on_host_;
  const LiveRequest* spared_ = nullptr;
  std::vector<LiveRequest*> candidates_;
  std::vector<std::pair<Time, LiveRequest*>> expected_;
  std::uint64_t next_copy_;
  std::deque<std::pair<Time, std::int64_t>> arrivals_;  // of the watermark's window: when, blocks
  std::int64_t arrived_blocks_ = 0;
};

}  // namespace tokenyard
