#include "sim/server/batch_former.hpp"

#include <algorithm>

#include "sim/kernel/invariant.hpp"

namespace tokenyard {

namespace {

/// One token on top of a complete cache. A last chunk of one prompt token is still prefill.
bool is_decode(const RequestView& view) {
  return view.generated > 0 && view.pending_tokens() == 1;
}

}  // namespace

BatchFormer::BatchFormer(ServerState& state, Swapper& swapper)
    : state_(state),
      swapper_(swapper),
      limits_(state.settings.limits),
      // With proactive swapping the idle blocks are meant for those who enter.
      watermark_blocks_(state.settings.kv.proactive_swap ? 0 : swapper.watermark_blocks()) {}

void BatchFormer::start(InFlight& out) {
  out.iteration.slots.clear();
  out.iteration.copies.clear();
  out.iteration.load = IterationLoad();
  out.members.clear();
  evicted_.clear();
  tokens_left_ = limits_.max_num_batched_tokens;
  has_prefill_ = false;
  has_oversized_prefill_ = false;
  closed_ = false;
}

void BatchFormer::form(InFlight& out) {
  start(out);
  std::int64_t in_transit = 0;
  for (LiveRequest& live : state_.ranking.order()) {
    const auto members = static_cast<std::int64_t>(out.members.size());
    // Those in transit have a claim to a place.
    if (members + in_transit == limits_.max_num_seqs) {
      closed_ = in_transit > 0;
      break;
    }
    if (live.in_flight) continue;
    const Room room = live.moving() ? Room::later : take(out, live);
    if (live.moving()) {
      ++in_transit;
      enter_phase(state_, live, Phase::swap, state_.context.now());
    } else if (room == Room::later) {
      closed_ = true;
      break;
    } else if (room == Room::no && !limits_.look_past) {
      break;
    }
  }
  if (closed_) add_guests(out);
}

/// While the better-ranked move, or wait for blocks that drain, others may use their places, but on
/// the blocks they already hold: nobody gives way to a guest.
void BatchFormer::add_guests(InFlight& out) {
  for (LiveRequest& live : state_.ranking.residents()) {
    if (static_cast<std::int64_t>(out.members.size()) == limits_.max_num_seqs) return;
    if (!live.in_flight && !live.moving() && !live.held) take(out, live);
  }
}

/// Puts `live` into the batch, or starts what must come first.
Room BatchFormer::take(InFlight& out, LiveRequest& live) {
  if (live.view.kv == KvPlace::host) return bring_back(live);
  // What was evicted for this batch does not come back in it: it would rob its better. (What left
  // a static batch that ends in this pass may open the next.)
  if (live.evicted_in == state_.pass && !out.members.empty()) return Room::no;
  const std::int64_t tokens = grant_tokens(live);
  if (tokens == 0) return Room::no;
  const Room room = secure_blocks(live, live.view.computed + tokens, out.members.empty());
  if (room == Room::now) add(out, live, tokens);
  return room;
}

/// Begins to copy back a request whose KV is on the host.
Room BatchFormer::bring_back(LiveRequest& live) {
  const std::int64_t covered = std::max(live.view.known_tokens(), live.reserve_tokens);
  const std::int64_t blocks = state_.blocks.blocks_for(covered);
  const Room room = make_room(live, blocks);
  if (room == Room::now) swapper_.swap_in(live, blocks);
  return room;
}

bool BatchFormer::continue_static(InFlight& out) {
  static_members_.swap(out.members);
  start(out);
  bool unfinished = false;
  // Nobody is protected at first, so that the worst-ranked can give way to its better. Who was
  // cancelled only waits for the others.
  for (LiveRequest* live : static_members_) {
    live->in_flight = false;
    live->done = live->done || live->cancel_requested;
  }
  for (LiveRequest* live : static_members_) {
    if (live->done) {
      add(out, *live, 1);
    } else if (live->evicted_in != state_.pass) {
      const std::int64_t tokens = live->view.pending_tokens();
      if (secure_blocks(*live, live->view.computed + tokens, false) == Room::now) {
        add(out, *live, tokens);
        unfinished = true;
      } else {
        evict(*live);
      }
    }
  }
  return unfinished;
}

std::int64_t BatchFormer::grant_tokens(const LiveRequest& live) const {
  const std::int64_t pending = live.view.pending_tokens();
  if (limits_.static_batching) return pending;
  if (is_decode(live.view)) return tokens_left_ > 0 || has_oversized_prefill_ ? 1 : 0;
  if (limits_.chunk_tokens > 0) return std::min({pending, limits_.chunk_tokens, tokens_left_});
  if (pending <= tokens_left_) return pending;
  // A prompt longer than any iteration may be goes as the only prefill, whatever decodes there are.
  return pending > limits_.max_num_batched_tokens && !has_prefill_ ? pending : 0;
}

Room BatchFormer::secure_blocks(LiveRequest& live, std::int64_t tokens, bool batch_is_empty) {
  const std::int64_t covered = std::max(tokens, live.reserve_tokens);
  const auto held = static_cast<std::int64_t>(live.blocks.size());
  if (covered <= held * state_.blocks.block_size()) return Room::now;
  const std::int64_t wanted = state_.blocks.blocks_for(covered);
  // Only newcomers respect the watermark, and only when there is other work to do.
  const std::int64_t spare = held == 0 && !batch_is_empty ? watermark_blocks_ : 0;
  const Room room = make_room(live, wanted - held + spare);
  if (room != Room::now) return room;
  const bool grown = state_.blocks.grow(live.blocks, wanted);
  invariant(grown, "I2 blocks are conserved", "room for {} blocks was made and is not there",
            wanted - held);
  live.view.blocks_held = wanted;
  live.view.kv = KvPlace::device;
  if (held == 0) state_.ranking.update_residency(live);
  return Room::now;
}

Room BatchFormer::make_room(const LiveRequest& live, std::int64_t blocks) {
  if (closed_) return Room::later;
  if (blocks <= state_.blocks.free()) return Room::now;
  // First find enough victims, then evict: a request that cannot be served takes nothing. Blocks
  // that drain already will come without further victims.
  std::int64_t missing = blocks - state_.blocks.free() - state_.blocks.draining();
  victims_.clear();
  auto& residents = state_.ranking.residents();
  for (auto at = residents.rbegin(); at != residents.rend() && missing > 0; ++at) {
    if (!RankIndex::before(live, *at)) return Room::no;
    if (at->in_flight || at->done || at->moving()) continue;
    victims_.push_back(&*at);
    missing -= static_cast<std::int64_t>(at->blocks.size());
  }
  if (missing > 0) return Room::no;
  for (LiveRequest* victim : victims_) give_way(*victim);
  return blocks <= state_.blocks.free() ? Room::now : Room::later;
}

void BatchFormer::give_way(LiveRequest& victim) {
  const Evict how = state_.settings.kv.evict;
  const bool swaps = how != Evict::recompute && !limits_.static_batching &&
                     swapper_.has_host_room(victim) &&
                     (how == Evict::swap || swapper_.is_cheaper(victim));
  if (swaps) {
    swapper_.swap_out(victim);
    evicted_.push_back({&victim, Eviction::swap});
  } else {
    evict(victim);
  }
}

void BatchFormer::evict(LiveRequest& victim) {
  state_.blocks.release(victim.blocks);
  state_.ranking.update_residency(victim);
  victim.view.computed = 0;
  victim.view.blocks_held = 0;
  victim.view.kv = KvPlace::none;
  victim.evicted_in = state_.pass;
  evicted_.push_back({&victim, Eviction::recompute});
}

void BatchFormer::add(InFlight& out, LiveRequest& live, std::int64_t new_tokens) {
  Slot slot;
  slot.request = live.view.id;
  slot.computed = live.view.computed;
  slot.new_tokens = new_tokens;
  slot.generated = live.view.generated;
  slot.padding = live.done;
  slot.prefill = !live.done && !is_decode(live.view);
  slot.yields = !live.done && new_tokens == live.view.pending_tokens();
  slot.blocks = live.blocks;
  const std::int64_t context = slot.computed + new_tokens;
  if (slot.prefill) {
    out.iteration.load.add_prefill(new_tokens, context);
    has_prefill_ = true;
    has_oversized_prefill_ = has_oversized_prefill_ || new_tokens > tokens_left_;
  } else {
    out.iteration.load.add_decode(context);
  }
  tokens_left_ = std::max<std::int64_t>(0, tokens_left_ - new_tokens);
  live.in_flight = true;
  out.iteration.slots.push_back(slot);
  out.members.push_back(&live);
}

}  // namespace tokenyard
