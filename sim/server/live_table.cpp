#include "sim/server/live_table.hpp"

#include "sim/kernel/invariant.hpp"

namespace tokenyard {

LiveRequest& LiveTable::insert(const Request& request) {
  const std::size_t id = index(request.id);
  if (id >= slot_of_.size()) slot_of_.resize(id + 1, kNone);
  invariant(slot_of_[id] == kNone, "I4 a request lives and ends once", "request {} arrived twice",
            id);
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  slot_of_[id] = free_.back();
  free_.pop_back();
  LiveRequest& live = slots_[slot_of_[id]];
  live.facts.request = request;
  live.view.id = request.id;
  live.view.slot = slot_of_[id];
  live.view.arrived = request.arrival;
  live.view.prompt_tokens = request.prompt_tokens;
  live.view.last_ran = request.arrival;
  live.view.tenant = request.tenant;
  live.view.priority = request.priority;
  live.view.sequences = request.width;
  live.sequences.resize(static_cast<std::size_t>(request.width));
  for (std::int32_t i = 0; i < request.width; ++i)
    live.sequences[static_cast<std::size_t>(i)].number = i;
  live.phase_since = request.arrival;
  return live;
}

void LiveTable::erase(LiveRequest& live) {
  const std::size_t id = index(live.view.id);
  const std::uint32_t slot = slot_of_[id];
  slot_of_[id] = kNone;
  // The next request in this slot starts afresh but keeps the capacity of the first table.
  std::vector<Sequence> sequences = std::move(live.sequences);
  sequences.resize(1);
  sequences.front().number = 0;
  sequences.front().blocks.clear();
  sequences.front().host_blocks.clear();
  live = LiveRequest();
  live.sequences = std::move(sequences);
  free_.push_back(slot);
}

LiveRequest* LiveTable::find(RequestId id) {
  if (index(id) >= slot_of_.size() || slot_of_[index(id)] == kNone) return nullptr;
  return &slots_[slot_of_[index(id)]];
}

const LiveRequest* LiveTable::find(RequestId id) const {
  if (index(id) >= slot_of_.size() || slot_of_[index(id)] == kNone) return nullptr;
  return &slots_[slot_of_[index(id)]];
}

}  // namespace tokenyard
