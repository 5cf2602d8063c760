#include "sim/server/batch_former.hpp"

#include <algorithm>
#include <cmath>

#include "sim/kernel/invariant.hpp"

namespace tokenyard {

namespace {

/// One token on top of a complete cache. A last chunk of one prompt token is still prefill.
bool is_decode(const RequestView& view) {
  return view.generated > 0 && view.pending_tokens() == 1;
}

}  // namespace

BatchFormer::BatchFormer(ServerState& state)
    : state_(state),
      limits_(state.settings.limits),
      watermark_blocks_(static_cast<std::int64_t>(std::ceil(
          state.settings.kv.watermark * static_cast<double>(state.settings.kv.device_blocks)))) {}

void BatchFormer::start(InFlight& out) {
  out.iteration.slots.clear();
  out.iteration.load = IterationLoad();
  out.members.clear();
  evicted_.clear();
  tokens_left_ = limits_.max_num_batched_tokens;
  has_prefill_ = false;
  has_oversized_prefill_ = false;
}

void BatchFormer::form(InFlight& out) {
  start(out);
  for (LiveRequest& live : state_.ranking.order()) {
    if (static_cast<std::int64_t>(out.members.size()) == limits_.max_num_seqs) break;
    if (live.in_flight) continue;
    // What was evicted for this batch does not come back in it: it would rob its better. (What left
    // a static batch that ends in this pass may open the next.)
    const bool evicted_now = live.evicted_in == state_.pass && !out.members.empty();
    const std::int64_t tokens = evicted_now ? 0 : grant_tokens(live);
    if (tokens > 0 && secure_blocks(live, live.view.computed + tokens, out.members.empty())) {
      add(out, live, tokens);
    } else if (!limits_.look_past) {
      break;
    }
  }
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
      if (secure_blocks(*live, live->view.computed + tokens, false)) {
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

bool BatchFormer::secure_blocks(LiveRequest& live, std::int64_t tokens, bool batch_is_empty) {
  const std::int64_t covered = std::max(tokens, live.reserve_tokens);
  const auto held = static_cast<std::int64_t>(live.blocks.size());
  if (covered <= held * state_.blocks.block_size()) return true;
  const std::int64_t wanted = state_.blocks.blocks_for(covered);
  // Only newcomers respect the watermark, and only when there is other work to do.
  const std::int64_t spare = held == 0 && !batch_is_empty ? watermark_blocks_ : 0;
  if (!make_room(live, wanted - held + spare)) return false;
  const bool grown = state_.blocks.grow(live.blocks, wanted);
  invariant(grown, "I2 blocks are conserved", "room for {} blocks was made and is not there",
            wanted - held);
  live.view.blocks_held = wanted;
  live.view.kv = KvPlace::device;
  if (held == 0) state_.ranking.update_residency(live);
  return true;
}

bool BatchFormer::make_room(const LiveRequest& live, std::int64_t blocks) {
  std::int64_t missing = blocks - state_.blocks.free();
  if (missing <= 0) return true;
  // First find enough victims, then evict: a request that cannot be served takes nothing.
  victims_.clear();
  auto& residents = state_.ranking.residents();
  for (auto at = residents.rbegin(); at != residents.rend() && missing > 0; ++at) {
    if (!RankIndex::before(live, *at)) return false;
    if (at->in_flight || at->done) continue;
    victims_.push_back(&*at);
    missing -= static_cast<std::int64_t>(at->blocks.size());
  }
  if (missing > 0) return false;
  for (LiveRequest* victim : victims_) evict(*victim);
  return true;
}

void BatchFormer::evict(LiveRequest& victim) {
  state_.blocks.release(victim.blocks);
  state_.ranking.update_residency(victim);
  victim.view.computed = 0;
  victim.view.blocks_held = 0;
  victim.view.kv = KvPlace::none;
  victim.evicted_in = state_.pass;
  evicted_.push_back(&victim);
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
