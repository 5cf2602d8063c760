#include "sim/server/swapper.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "sim/kernel/invariant.hpp"

namespace tokenyard {

Swapper::Swapper(ServerState& state, std::uint64_t first_copy)
    : state_(state), next_copy_(first_copy) {}

bool Swapper::has_host_room(const LiveRequest& live) const {
  return state_.memory.distinct_blocks(live, &Sequence::blocks) <= state_.host_blocks.free();
}

bool Swapper::is_cheaper(const LiveRequest& live) const {
  const CostModel& cost = state_.ports.advising_cost;
  const std::int64_t computed = live.view.computed;
  IterationLoad again = IterationLoad::one_prefill(computed, computed);
  if (live.forked()) {
    const std::int64_t tail = computed - live.view.prompt_tokens;
    for (std::size_t i = 1; i < live.sequences.size(); ++i) again.add_prefill(tail, computed);
  }
  return 2 * cost.copy(state_.memory.distinct_blocks(live, &Sequence::blocks)) <
         cost.iteration(again);
}

namespace {

/// Gives each sequence a table `to` of new blocks of `pool` in the shape of its table `from`: what
/// was shared is shared again. Notes each block once, with its counterpart.
void mirror(LiveRequest& live, BlockTable Sequence::*from, BlockTable Sequence::*to,
            BlockManager& pool, std::vector<BlockId>& from_blocks,
            std::vector<BlockId>& to_blocks) {
  std::map<BlockId, BlockId> counterparts;
  for (Sequence& sequence : live.sequences) {
    for (const BlockId block : sequence.*from) {
      BlockTable& table = sequence.*to;
      const auto known = counterparts.find(block);
      if (known != counterparts.end()) {
        pool.share(table, known->second);
        continue;
      }
      const bool room = pool.grow(table, static_cast<std::int64_t>(table.size()) + 1);
      invariant(room, "I2 blocks are conserved", "no room to copy request {}", index(live.view.id));
      if (live.sequences.size() > 1) counterparts.emplace(block, table.back());
      from_blocks.push_back(block);
      to_blocks.push_back(table.back());
    }
  }
}

}  // namespace

void Swapper::begin(LiveRequest& live, CopyDirection direction, Copy copy) {
  const CopyId id{next_copy_++};
  Copy& begun = copies_[id] = std::move(copy);
  begun.copy = {id, live.view.id, direction, begun.device, begun.host};
  begun_.push_back(begun.copy);
  state_.memory.recount(live);
  state_.ranking.update_residency(live);
}

/// Gives up its blocks without content, which are not worth copying.
void Swapper::trim(LiveRequest& live) {
  state_.memory.settle(live);
  const auto filled = static_cast<std::size_t>(state_.blocks.blocks_for(live.view.computed));
  state_.blocks.release(live.reserved);
  for (Sequence& sequence : live.sequences) {
    if (sequence.blocks.size() <= filled) continue;
    const auto end = sequence.blocks.begin() + static_cast<std::ptrdiff_t>(filled);
    BlockTable unused(end, sequence.blocks.end());
    sequence.blocks.erase(end, sequence.blocks.end());
    state_.blocks.release(unused);
  }
}

void Swapper::swap_out(LiveRequest& live) {
  trim(live);
  Copy copy;
  mirror(live, &Sequence::blocks, &Sequence::host_blocks, state_.host_blocks, copy.device,
         copy.host);
  for (Sequence& sequence : live.sequences) {
    state_.blocks.start_draining(sequence.blocks);
    copy.draining.push_back(std::exchange(sequence.blocks, {}));
  }
  live.sealed_blocks = 0;
  live.view.kv = KvPlace::moving_out;
  ++live.facts.swaps_out;
  begin(live, CopyDirection::to_host, std::move(copy));
}

void Swapper::swap_in(LiveRequest& live) {
  const std::int64_t blocks = state_.memory.blocks_to_return(live);
  Copy copy;
  mirror(live, &Sequence::host_blocks, &Sequence::blocks, state_.blocks, copy.host, copy.device);
  state_.memory.reserve_for_return(live, blocks);
  live.view.kv = KvPlace::moving_in;
  if (live.is_remote) {
    begin(live, CopyDirection::from_replica, std::move(copy));
    return;
  }
  ++live.facts.swaps_in;
  std::erase(on_host_, &live);
  begin(live, CopyDirection::to_device, std::move(copy));
}

CopyId Swapper::part_with(LiveRequest& live, std::vector<BlockTable>& tables) {
  trim(live);
  const CopyId id{next_copy_++};
  std::vector<BlockTable>& draining = handed_over_[id];
  for (Sequence& sequence : live.sequences) {
    state_.blocks.start_draining(sequence.blocks);
    tables.push_back(sequence.blocks);
    draining.push_back(std::exchange(sequence.blocks, {}));
  }
  state_.memory.recount(live);
  state_.ranking.update_residency(live);
  return id;
}

bool Swapper::finish_handing_over(CopyId id) {
  const auto found = handed_over_.find(id);
  if (found == handed_over_.end()) return false;
  for (BlockTable& table : found->second) state_.blocks.finish_draining(table);
  handed_over_.erase(found);
  return true;
}

/// Gives up what it has on the host; what another replica holds for it is not ours.
void Swapper::release_host_blocks(LiveRequest& live) {
  for (Sequence& sequence : live.sequences) {
    if (live.is_remote) {
      sequence.host_blocks.clear();
    } else {
      state_.host_blocks.release(sequence.host_blocks);
    }
  }
  live.is_remote = false;
}

LiveRequest* Swapper::finish(const CopyEnd& end) {
  const auto found = copies_.find(end.copy);
  invariant(found != copies_.end(), "I6 an iteration ends once", "copy {} is not in progress",
            index(end.copy));
  Copy copy = std::move(found->second);
  copies_.erase(found);
  LiveRequest* live = state_.live.find(copy.copy.request);
  invariant(live != nullptr && live->moving(), "I4 a request lives and ends once",
            "request {} left while its KV was moving", index(copy.copy.request));
  const bool outwards = copy.copy.direction == CopyDirection::to_host;
  for (BlockTable& table : copy.draining) state_.blocks.finish_draining(table);
  if (!outwards || end.failed) release_host_blocks(*live);
  if (end.failed) {
    state_.memory.release(*live);
    state_.ranking.update_residency(*live);
    live->view.computed = 0;
    live->view.kv = KvPlace::none;
  } else {
    live->view.kv = outwards ? KvPlace::host : KvPlace::device;
    if (outwards) {
      on_host_.push_back(live);
    } else {
      state_.memory.seal(*live);
    }
  }
  return live;
}

void Swapper::forget(LiveRequest& live) {
  if (spared_ == &live) spared_ = nullptr;
  if (live.view.kv == KvPlace::host) std::erase(on_host_, &live);
  release_host_blocks(live);
}

std::vector<KvCopy> Swapper::take_begun() {
  return std::exchange(begun_, {});
}

void Swapper::sort_by_next_scheduled(std::vector<LiveRequest*>& requests, bool soonest_first) {
  // Ranking order settles equal estimates and stands in where the policy gives none.
  expected_.clear();
  const bool asks = state_.settings.kv.swap_order == SwapOrder::next_scheduled;
  for (LiveRequest* live : requests) {
    const auto next =
        asks ? state_.ports.policy.next_scheduled(live->view, state_.context) : std::nullopt;
    expected_.emplace_back(live->held ? kNever : next.value_or(kOrigin), live);
  }
  std::sort(expected_.begin(), expected_.end(), [&](const auto& a, const auto& b) {
    if (a.first != b.first) return soonest_first ? a.first < b.first : a.first > b.first;
    return soonest_first ? RankIndex::before(*a.second, *b.second)
                         : RankIndex::before(*b.second, *a.second);
  });
  requests.clear();
  for (const auto& [time, live] : expected_) requests.push_back(live);
}

void Swapper::note_arrival(const Request& request) {
  const Duration window = state_.settings.kv.watermark_window;
  if (window <= Duration{0}) return;
  const std::int64_t blocks = state_.blocks.blocks_for(request.prompt_tokens);
  arrivals_.emplace_back(request.arrival, blocks);
  arrived_blocks_ += blocks;
}

/// Arrivals that have left the window are dropped when the next asks: the order of asking and
/// noting is that of time, so the answer depends on the instant alone.
std::int64_t Swapper::recent_blocks() {
  const Duration window = state_.settings.kv.watermark_window;
  while (!arrivals_.empty() && arrivals_.front().first + window <= state_.context.now()) {
    arrived_blocks_ -= arrivals_.front().second;
    arrivals_.pop_front();
  }
  return std::min(arrived_blocks_, state_.settings.kv.device_blocks / 4);
}

std::int64_t Swapper::watermark_blocks() {
  const KvSettings& kv = state_.settings.kv;
  if (kv.watermark_window > Duration{0}) return recent_blocks();
  return static_cast<std::int64_t>(std::ceil(kv.watermark * static_cast<double>(kv.device_blocks)));
}

std::int64_t Swapper::idle_blocks() {
  const KvSettings& kv = state_.settings.kv;
  if (kv.watermark > 0 || kv.watermark_window > Duration{0}) return watermark_blocks();
  return std::min(state_.settings.limits.max_num_seqs, kv.device_blocks / 4);
}

void Swapper::look_ahead() {
  if (state_.blocks.free() + state_.blocks.draining() < idle_blocks()) {
    copy_out_latest();
  } else if (state_.blocks.draining() == 0 && !on_host_.empty()) {
    copy_in_soonest();
  }
}

std::int64_t Swapper::blocks_before_it_acts() {
  const std::int64_t free = state_.blocks.free();
  const std::int64_t draining = state_.blocks.draining();
  const std::int64_t idle = idle_blocks();
  // It has found nobody to move out, and nobody else will stop running.
  if (free + draining < idle) return free;
  // Who is expected soonest changes with time; here even the smallest may not come.
  if (draining == 0 && !on_host_.empty() && free > idle) return -1;
  return std::min(free, free + draining - idle);
}

void Swapper::copy_out_latest() {
  candidates_.clear();
  for (LiveRequest& live : state_.ranking.residents()) {
    if (&live == spared_ || live.in_flight || live.moving()) continue;
    if (live.view.computed > 0 && live.may_lose_blocks()) {
      candidates_.push_back(&live);
    }
  }
  sort_by_next_scheduled(candidates_, false);
  for (LiveRequest* live : candidates_) {
    if (state_.blocks.free() + state_.blocks.draining() >= idle_blocks()) return;
    if (!has_host_room(*live)) continue;
    live->count_eviction(state_.settings.limits.max_preemptions);
    swap_out(*live);
  }
}

void Swapper::copy_in_soonest() {
  candidates_.assign(on_host_.begin(), on_host_.end());
  sort_by_next_scheduled(candidates_, true);
  for (LiveRequest* live : candidates_) {
    const std::int64_t blocks = state_.memory.blocks_to_return(*live);
    if (live->held || state_.blocks.free() < blocks + idle_blocks()) return;
    swap_in(*live);
  }
}

void Swapper::add_tables(std::vector<const BlockTable*>& device) const {
  for (const auto& [id, copy] : copies_) {
    for (const BlockTable& table : copy.draining) device.push_back(&table);
  }
  for (const auto& [id, tables] : handed_over_) {
    for (const BlockTable& table : tables) device.push_back(&table);
  }
}

}  // namespace tokenyard
