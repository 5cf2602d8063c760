#include "sim/server/batch_former.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "sim/kernel/invariant.hpp"
#include "sim/server/decode_slot.hpp"

namespace tokenyard {

BatchFormer::BatchFormer(ServerState& state, Swapper& swapper)
    : state_(state), swapper_(swapper), limits_(state.settings.limits) {}

void BatchFormer::start(InFlight& out) {
  keep_none(out);
  out.iteration.slots.clear();
  out.members.clear();
  reset(out);
}

/// Begins anew on the limits.
void BatchFormer::reset(InFlight& out) {
  out_ = &out;
  out.cohort_at = 0;
  cohort_waits_ = false;
  out.iteration.block_copies.clear();
  out.iteration.copies.clear();
  out.iteration.load = IterationLoad();
  evicted_.clear();
  places_left_ = limits_.max_num_seqs;
  tokens_left_ = limits_.max_num_batched_tokens;
  has_prefill_ = false;
  has_oversized_prefill_ = false;
  closed_ = false;
  passed_over_ = false;
  leads_ = false;
  cached_before_ = state_.blocks.cached();
}

/// Whether all that `live` needs is one more token in a block it has: what most do at most times.
inline bool BatchFormer::goes_on_decoding(const LiveRequest& live) const {
  return live.view.kv == KvPlace::device && live.sequences.size() == 1 &&
         is_decode(live.view, live.view.computed) && !limits_.static_batching &&
         (tokens_left_ > 0 || has_oversized_prefill_) && live.view.computed < live.covered_tokens;
}

/// As `add` does.
inline void BatchFormer::add_decode(InFlight& out, LiveRequest& live) {
  fill_decode(out.iteration.slots.emplace_back(), live);
  out.iteration.load.add_decode(live.view.computed + 1);
  out.members.push_back(&live);
  if (tokens_left_ > 0) --tokens_left_;
  --places_left_;
  leads_ = leads_ && !passed_over_;
  live.in_flight = true;
}

namespace {

/// The longest stretch of `members` that come one behind the other in the ranking.
std::pair<std::size_t, std::size_t> longest_stretch(std::span<LiveRequest* const> members,
                                                    RankIndex::Order& order) {
  std::size_t first = 0, last = 0, start = 0;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (members[i]->held) {
      start = i + 1;
      continue;
    }
    const auto here = order.iterator_to(*members[i]);
    if (i > start && std::next(order.iterator_to(*members[i - 1])) != here) start = i;
    if (i + 1 - start > last - first) {
      first = start;
      last = i + 1;
    }
  }
  return {first, last};
}

}  // namespace

void BatchFormer::form(InFlight& out) {
  Cohort& cohort = state_.cohort;
  if (cohort.size() > 0 && !state_.ranking.stands() && !state_.ranking.any_moved()) {
    // Newcomers have come between: the longest part goes on.
    const auto [first, last] = longest_stretch(out.members, state_.ranking.order());
    dissolve(out, last, cohort.size());
    cohort.erase(last, cohort.size());
    dissolve(out, 0, first);
    cohort.erase(0, first);
  } else if (!state_.ranking.stands()) {
    keep_none(out);
  }
  if (cohort.size() > 0) {
    reset(out);
    cohort_waits_ = true;
  } else {
    start(out);
  }
  swapper_.spare(nullptr);
  std::int64_t claimed = 0;  // places of those in transit
  leads_ = true;
  for (auto next = state_.ranking.order().begin(); next != state_.ranking.order().end(); ++next) {
    LiveRequest& live = *next;
    if (cohort_waits_ && live.in_cohort) {
      if (claimed == 0 && can_take_cohort()) {
        take_cohort(out);
        next = state_.ranking.order().iterator_to(*out.members.back());
        continue;
      }
      keep_none(out);
    }
    if (places_left_ <= claimed) {
      closed_ = claimed > 0;
      break;
    }
    if (live.in_flight) {
      passed_over_ = true;
      continue;
    }
    if (claimed == 0 && goes_on_decoding(live)) {
      add_decode(out, live);
      continue;
    }
    Room room = Room::no;
    if (live.moving()) {
      room = Room::later;
    } else if (has_places(live, claimed)) {
      room = take(out, live);
    }
    passed_over_ = passed_over_ || room != Room::now || live.moving();
    if (live.moving()) {
      claimed += live.view.sequences;
      enter_phase(state_, live, Phase::swap, state_.context.now());
    } else if (room == Room::later) {
      swapper_.spare(&live);
      closed_ = true;
      break;
    } else if (room == Room::no && !limits_.look_past) {
      break;
    }
  }
  if (cohort_waits_) keep_none(out);
  if (closed_) add_guests(out);
  if (leads_ && !out.members.empty()) {
    state_.ranking.watch(*out.members.front(), *out.members.back());
  }
}

/// Whether a walk that has come to the cohort would take all of it.
bool BatchFormer::can_take_cohort() {
  const auto members = static_cast<std::int64_t>(state_.cohort.size());
  if (members > places_left_ || members > tokens_left_) return false;
  cohort_lacks_ = state_.cohort.lacking();
  return cohort_lacks_ <= state_.blocks.free();
}

/// Takes the whole cohort, behind whom the walk has taken before.
void BatchFormer::take_cohort(InFlight& out) {
  Cohort& cohort = state_.cohort;
  std::vector<Slot>& slots = out.iteration.slots;
  const std::size_t size = cohort.size();
  const bool leaves_open = state_.memory.leaves_open() && !cohort.may_hold_reserved();
  if (leaves_open) state_.blocks.pledge(cohort_lacks_);
  for (std::size_t i = 0; cohort_lacks_ > 0; ++i) {
    if (cohort.covered(i) > 0) continue;
    --cohort_lacks_;
    if (leaves_open) {
      cohort.grow(i);
      continue;
    }
    LiveRequest& live = *out.members[i];
    fulfil(live);
    state_.memory.append_block(live);
    cohort.grow(i);
    slots[i].blocks = live.sequences.front().blocks;
  }
  out.cohort_at = slots.size() - size;
  if (out.cohort_at > 0) {
    const auto members = static_cast<std::ptrdiff_t>(size);
    std::rotate(slots.begin(), slots.begin() + members, slots.end());
    std::rotate(out.members.begin(), out.members.begin() + members, out.members.end());
  }
  out.iteration.load.decode_sequences += static_cast<std::int64_t>(size);
  out.iteration.load.decode_context_tokens += cohort.context_tokens();
  places_left_ -= static_cast<std::int64_t>(size);
  tokens_left_ -= static_cast<std::int64_t>(size);
  leads_ = leads_ && !passed_over_;
  cohort_waits_ = false;
  cohort.begin();
}

/// Gives `live` the blocks that were pledged to it as a member of the cohort.
void BatchFormer::fulfil(LiveRequest& live) {
  state_.cohort.catch_up(live);
  state_.memory.fulfil(live, live.view.computed);
}

/// Whether the walk has taken nobody yet.
bool BatchFormer::is_empty(const InFlight& out) const {
  return out.members.size() == (cohort_waits_ ? state_.cohort.size() : 0);
}

bool BatchFormer::has_places(const LiveRequest& live, std::int64_t claimed) const {
  return live.view.sequences <= places_left_ - claimed;
}

/// While the better-ranked move, or wait for blocks that drain or are kept, others may use their
/// places, but on the blocks they already hold: nobody gives way to a guest.
void BatchFormer::add_guests(InFlight& out) {
  for (LiveRequest& live : state_.ranking.residents()) {
    if (places_left_ == 0) return;
    if (!live.in_flight && !live.moving() && !live.held && has_places(live, 0)) take(out, live);
  }
}

/// Puts `live` into the batch, or starts what must come first.
Room BatchFormer::take(InFlight& out, LiveRequest& live) {
  if (live.view.kv == KvPlace::host || live.view.kv == KvPlace::remote) return bring_back(live);
  // What was evicted for this batch does not come back in it: it would rob its better. (What left
  // a static batch that ends in this pass may open the next.)
  if (live.evicted_in == state_.pass && !is_empty(out)) return Room::no;
  const std::int64_t start = live.resident() ? live.view.computed : state_.memory.find_prefix(live);
  const std::int64_t tokens = grant_tokens(live, start);
  if (tokens == 0) return Room::no;
  const Room room = secure_blocks(out, live, start + tokens);
  if (room == Room::now) add(out, live, tokens);
  return room;
}

/// Begins to copy back a request whose KV is on the host or at another replica.
Room BatchFormer::bring_back(LiveRequest& live) {
  const Room room = make_room(live, state_.memory.blocks_to_return(live), {});
  if (room == Room::now) swapper_.swap_in(live);
  return room;
}

bool BatchFormer::continue_static(InFlight& out) {
  static_members_.swap(out.members);
  start(out);
  bool unfinished = false;
  // Nobody is protected at first, so that the worst-ranked can give way to its better. Who was
  // cancelled only waits for the others.
  const auto last = std::unique(static_members_.begin(), static_members_.end());
  static_members_.erase(last, static_members_.end());  // one a slot so far
  for (LiveRequest* live : static_members_) {
    live->in_flight = false;
    live->done = live->done || live->cancel_requested;
  }
  for (LiveRequest* live : static_members_) {
    if (live->done) {
      add(out, *live, 1);
    } else if (live->evicted_in != state_.pass) {
      const std::int64_t tokens = grant_tokens(*live, live->view.computed);
      if (secure_blocks(out, *live, live->view.computed + tokens) == Room::now) {
        add(out, *live, tokens);
        unfinished = true;
      } else {
        evict(*live);
      }
    }
  }
  return unfinished;
}

/// How many tokens further `live` may go from `start`; 0 = it does not fit.
std::int64_t BatchFormer::grant_tokens(const LiveRequest& live, std::int64_t start) const {
  const std::int64_t sequences = live.view.sequences;
  const bool in_prompt = sequences > 1 && start < live.view.prompt_tokens;
  const std::int64_t pending = live.view.known_tokens() - start;
  if (limits_.static_batching) return pending;
  if (is_decode(live.view, start)) {
    return tokens_left_ >= sequences || has_oversized_prefill_ ? 1 : 0;
  }
  if (limits_.chunk_tokens > 0) {
    // The sequences share the computation of the prompt and go on side by side behind it.
    const std::int64_t side_by_side = in_prompt ? 1 : sequences;
    const std::int64_t stretch = in_prompt ? live.view.prompt_tokens - start : pending;
    const std::int64_t chunk = std::max<std::int64_t>(1, limits_.chunk_tokens / side_by_side);
    return std::min({stretch, chunk, tokens_left_ / side_by_side});
  }
  std::int64_t all = pending;
  if (live.view.generated > 0) {
    const std::int64_t own = std::max(start, state_.memory.own_from(live));
    all += (sequences - 1) * (live.view.known_tokens() - own);
  }
  if (all <= tokens_left_) return pending;
  // A prompt longer than any iteration may be goes as the only prefill, whatever decodes there are.
  return all > limits_.max_num_batched_tokens && !has_prefill_ ? pending : 0;
}

Room BatchFormer::secure_blocks(InFlight& out, LiveRequest& live, std::int64_t tokens) {
  const bool enters = !live.resident();
  if (enters && state_.settings.kv.admit_whole_prompt) {
    const bool wide = live.view.sequences > 1;
    tokens = std::max(tokens, wide ? live.view.prompt_tokens : live.view.known_tokens());
  }
  const std::int64_t missing = state_.memory.missing_blocks(live, tokens);
  // Only newcomers respect the watermark, and only when there is other work to do. With proactive
  // swapping the idle blocks are meant for them.
  const bool spares = enters && !is_empty(out) && !state_.settings.kv.proactive_swap;
  const std::int64_t spare = spares ? swapper_.watermark_blocks() : 0;
  if (missing > 0) {
    const std::span<const BlockId> found =
        enters ? state_.memory.found() : std::span<const BlockId>();
    const Room room = make_room(live, missing + spare, found);
    if (room != Room::now) return room;
  }
  state_.memory.extend(live, tokens, out.iteration.block_copies);
  if (enters) {
    live.view.kv = KvPlace::device;
    state_.ranking.update_residency(live);
  }
  return Room::now;
}

/// Makes `blocks` blocks free for `live`, beyond those of a prefix that it `found`.
Room BatchFormer::make_room(const LiveRequest& live, std::int64_t blocks,
                            std::span<const BlockId> found) {
  if (closed_) return Room::later;
  if (blocks <= state_.blocks.free()) return Room::now;
  if (cohort_waits_) keep_none(*out_);  // its members rank worse and may have to give way
  // First find enough victims, then evict: a request that cannot be served takes nothing. Blocks
  // that drain already will come without further victims.
  const std::int64_t found_free = state_.blocks.count_free(found);
  std::int64_t missing = blocks - state_.blocks.free() - state_.blocks.draining();
  bool some_are_kept = false;
  victims_.clear();
  state_.blocks.begin_tally(found);
  auto& residents = state_.ranking.residents();
  for (auto at = residents.rbegin(); at != residents.rend() && missing > 0; ++at) {
    if (!RankIndex::before(live, *at)) break;
    if (at->in_flight || at->done || at->moving()) continue;
    if (!at->may_lose_blocks()) {
      some_are_kept = true;
      continue;
    }
    victims_.push_back(&*at);
    missing -= state_.memory.tally(*at);
  }
  // Those who keep their blocks go ahead of their better, so that they give them back.
  if (missing > 0) return some_are_kept ? Room::later : Room::no;
  for (LiveRequest* victim : victims_) give_way(*victim);
  blocks += state_.blocks.count_free(found) - found_free;  // what victims held of the prefix
  return blocks <= state_.blocks.free() ? Room::now : Room::later;
}

void BatchFormer::give_way(LiveRequest& victim) {
  const Evict how = state_.settings.kv.evict;
  victim.count_eviction(limits_.max_preemptions);
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
  state_.memory.release(victim);
  state_.ranking.update_residency(victim);
  victim.view.computed = 0;
  victim.view.kv = KvPlace::none;
  victim.evicted_in = state_.pass;
  evicted_.push_back({&victim, Eviction::recompute});
}

void BatchFormer::add(InFlight& out, LiveRequest& live, std::int64_t new_tokens) {
  Slot slot;
  slot.request = live.view.id;
  slot.place = live.view.slot;
  slot.computed = live.view.computed;
  slot.new_tokens = new_tokens;
  slot.generated = live.view.generated;
  slot.width = live.view.sequences;
  slot.beam = live.facts.request.beam_search && slot.width > 1;
  slot.padding = live.done;
  slot.prefill = !live.done && !is_decode(live.view, live.view.computed);
  slot.yields = !live.done && new_tokens == live.view.pending_tokens();
  if (live.forked()) {
    for (const Sequence& sequence : live.sequences) {
      slot.sequence = sequence.number;
      slot.blocks = sequence.blocks;
      add_slot(out, live, slot);
      // Where prompt and outputs are computed again at once, the first computes what all share.
      slot.computed = std::max(live.view.computed, state_.memory.own_from(live));
      slot.new_tokens = live.view.computed + new_tokens - slot.computed;
    }
  } else {
    // One computes the prompt; the others take their first token from its last position.
    slot.blocks = live.sequences.front().blocks;
    slot.sequence = live.sequences.front().number;
    add_slot(out, live, slot);
    slot.computed += new_tokens;
    slot.new_tokens = 0;
    for (std::size_t i = 1; slot.yields && i < live.sequences.size(); ++i) {
      slot.sequence = live.sequences[i].number;
      add_slot(out, live, slot);
    }
  }
  if (slot.prefill) has_prefill_ = true;
  leads_ = leads_ && !passed_over_;
  places_left_ -= live.view.sequences;
  live.in_flight = true;
}

void BatchFormer::add_slot(InFlight& out, LiveRequest& live, Slot slot) {
  const std::int64_t context = slot.computed + slot.new_tokens;
  if (slot.prefill && slot.new_tokens > 0) {
    out.iteration.load.add_prefill(slot.new_tokens, context);
    has_oversized_prefill_ = has_oversized_prefill_ || slot.new_tokens > tokens_left_;
  } else if (!slot.prefill) {
    out.iteration.load.add_decode(context);
  }
  tokens_left_ = std::max<std::int64_t>(0, tokens_left_ - slot.new_tokens);
  out.iteration.slots.push_back(slot);
  out.members.push_back(&live);
}

}  // namespace tokenyard
