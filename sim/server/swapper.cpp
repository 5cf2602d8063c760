#include "sim/server/swapper.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "sim/kernel/invariant.hpp"

namespace tokenyard {

Swapper::Swapper(ServerState& state) : state_(state) {}

/// Blocks with content; a reservation beyond it holds nothing worth copying.
std::int64_t Swapper::blocks_of(const LiveRequest& live) const {
  return state_.blocks.blocks_for(live.view.computed);
}

bool Swapper::has_host_room(const LiveRequest& live) const {
  return blocks_of(live) <= state_.host_blocks.free();
}

bool Swapper::is_cheaper(const LiveRequest& live) const {
  const CostModel& cost = state_.ports.advising_cost;
  const std::int64_t computed = live.view.computed;
  return 2 * cost.copy(blocks_of(live)) <
         cost.iteration(IterationLoad::one_prefill(computed, computed));
}

void Swapper::begin(LiveRequest& live, CopyDirection direction, BlockTable draining) {
  const CopyId id{next_copy_++};
  Copy& copy = copies_[id];
  copy.draining = std::move(draining);
  copy.copy.id = id;
  copy.copy.request = live.view.id;
  copy.copy.direction = direction;
  const BlockTable& device = direction == CopyDirection::to_host ? copy.draining : live.blocks;
  copy.copy.device_blocks = std::span(device).first(live.host_blocks.size());
  copy.copy.host_blocks = live.host_blocks;
  begun_.push_back(copy.copy);
}

void Swapper::swap_out(LiveRequest& live) {
  const std::int64_t blocks = blocks_of(live);
  const bool room = state_.host_blocks.grow(live.host_blocks, blocks);
  invariant(room, "I2 blocks are conserved", "no host room for request {}", index(live.view.id));
  BlockTable draining(live.blocks.begin(), live.blocks.begin() + blocks);
  BlockTable unused(live.blocks.begin() + blocks, live.blocks.end());
  state_.blocks.release(unused);
  state_.blocks.start_draining(draining);
  live.blocks.clear();
  live.view.blocks_held = 0;
  live.view.kv = KvPlace::moving_out;
  ++live.facts.swaps_out;
  state_.ranking.update_residency(live);
  begin(live, CopyDirection::to_host, std::move(draining));
}

void Swapper::swap_in(LiveRequest& live, std::int64_t blocks) {
  const bool room = state_.blocks.grow(live.blocks, blocks);
  invariant(room, "I2 blocks are conserved", "no room for the return of request {}",
            index(live.view.id));
  live.view.blocks_held = blocks;
  live.view.kv = KvPlace::moving_in;
  ++live.facts.swaps_in;
  state_.ranking.update_residency(live);
  std::erase(on_host_, &live);
  begin(live, CopyDirection::to_device, {});
}

LiveRequest* Swapper::finish(CopyId id) {
  const auto found = copies_.find(id);
  invariant(found != copies_.end(), "I6 an iteration ends once", "copy {} is not in progress",
            index(id));
  Copy copy = std::move(found->second);
  copies_.erase(found);
  LiveRequest* live = state_.live.find(copy.copy.request);
  invariant(live != nullptr && live->moving(), "I4 a request lives and ends once",
            "request {} left while its KV was moving", index(copy.copy.request));
  if (copy.copy.direction == CopyDirection::to_host) {
    state_.blocks.finish_draining(copy.draining);
    live->view.kv = KvPlace::host;
    on_host_.push_back(live);
  } else {
    state_.host_blocks.release(live->host_blocks);
    live->view.kv = KvPlace::device;
  }
  return live;
}

void Swapper::forget(LiveRequest& live) {
  if (live.view.kv == KvPlace::host) std::erase(on_host_, &live);
  state_.host_blocks.release(live.host_blocks);
}

std::vector<KvCopy> Swapper::take_begun() {
  return std::exchange(begun_, {});
}

void Swapper::sort_by_next_scheduled(std::vector<LiveRequest*>& requests, bool soonest_first) {
  // Ranking order settles equal estimates and stands in where the policy gives none.
  expected_.clear();
  for (LiveRequest* live : requests) {
    const auto next = state_.ports.policy.next_scheduled(live->view, state_.context);
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

std::int64_t Swapper::watermark_blocks() const {
  const KvSettings& kv = state_.settings.kv;
  return static_cast<std::int64_t>(std::ceil(kv.watermark * static_cast<double>(kv.device_blocks)));
}

std::int64_t Swapper::idle_blocks() const {
  if (const std::int64_t watermark = watermark_blocks(); watermark > 0) return watermark;
  return std::min(state_.settings.limits.max_num_seqs, state_.settings.kv.device_blocks / 4);
}

void Swapper::look_ahead() {
  if (state_.blocks.free() + state_.blocks.draining() < idle_blocks()) {
    copy_out_latest();
  } else if (state_.blocks.draining() == 0 && !on_host_.empty()) {
    copy_in_soonest();
  }
}

void Swapper::copy_out_latest() {
  candidates_.clear();
  for (LiveRequest& live : state_.ranking.residents()) {
    if (!live.in_flight && !live.moving() && live.view.computed > 0) candidates_.push_back(&live);
  }
  sort_by_next_scheduled(candidates_, false);
  for (LiveRequest* live : candidates_) {
    if (state_.blocks.free() + state_.blocks.draining() >= idle_blocks()) return;
    if (has_host_room(*live)) swap_out(*live);
  }
}

void Swapper::copy_in_soonest() {
  candidates_.assign(on_host_.begin(), on_host_.end());
  sort_by_next_scheduled(candidates_, true);
  for (LiveRequest* live : candidates_) {
    const std::int64_t covered = std::max(live->view.known_tokens(), live->reserve_tokens);
    const std::int64_t blocks = state_.blocks.blocks_for(covered);
    if (live->held || state_.blocks.free() < blocks + idle_blocks()) return;
    swap_in(*live, blocks);
  }
}

void Swapper::add_tables(std::vector<const BlockTable*>& device) const {
  for (const auto& [id, copy] : copies_) device.push_back(&copy.draining);
}

}  // namespace tokenyard
