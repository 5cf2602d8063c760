// What of a batch that has ended goes on as the cohort.

#include <algorithm>
#include <utility>

#include "sim/server/batch_former.hpp"
#include "sim/server/decode_slot.hpp"

namespace tokenyard {

void BatchFormer::keep(InFlight& ended, std::span<const std::size_t> told) {
  if (!leads_ || !state_.ranking.stands()) {
    dissolve(ended, 0, ended.members.size());
    state_.cohort.erase(0, state_.cohort.size());
    ended.cohort_at = 0;
    return;
  }
  apart_.clear();
  for (auto slot = told.rbegin(); slot != told.rend(); ++slot) keep_told(ended, *slot);
  const std::size_t begin = ended.cohort_at, end = begin + state_.cohort.size();
  for (Slot& slot : std::span(ended.iteration.slots).subspan(begin, end - begin)) {
    ++slot.computed;
    ++slot.generated;
  }
  take_apart(ended, end, ended.members.size());
  take_apart(ended, 0, begin);
  ended.cohort_at = 0;
  if (!apart_.empty()) join_apart(ended);
  if (!ended.members.empty()) state_.ranking.watch(*ended.members.front(), *ended.members.back());
}

/// A member of the cohort was told of its progress: it keeps its place, or is taken apart.
void BatchFormer::keep_told(InFlight& ended, std::size_t slot) {
  const std::size_t member = slot - ended.cohort_at;
  LiveRequest* const live = ended.members[slot];
  if (live != nullptr && !state_.ranking.any_moved()) {
    state_.cohort.rejoin(member, *live, state_.ports.policy.indifferent_for(live->view));
    return;
  }
  if (live != nullptr) {
    const auto neighbour = [&](std::size_t at) {
      return at - ended.cohort_at < state_.cohort.size() ? ended.members[at] : nullptr;
    };
    const LiveRequest* const before = neighbour(slot - 1);
    const LiveRequest* const behind = neighbour(slot + 1);
    if (state_.ranking.watches(*live) && (before == nullptr || RankIndex::before(*before, *live)) &&
        (behind == nullptr || RankIndex::before(*live, *behind))) {
      state_.cohort.rejoin(member, *live, state_.ports.policy.indifferent_for(live->view));
      return;
    }
  }
  if (live != nullptr) fulfil(*live);
  state_.cohort.erase(member, member + 1);
  take_apart(ended, slot, slot + 1);
}

/// Takes the members in these slots, who are in no cohort, out of the batch, for now.
void BatchFormer::take_apart(InFlight& ended, std::size_t begin, std::size_t end) {
  if (begin == end) return;
  for (LiveRequest* live : std::span(ended.members).subspan(begin, end - begin)) {
    if (live != nullptr && (apart_.empty() || apart_.back() != live)) apart_.push_back(live);
  }
  erase_slots(ended, begin, end);
}

/// Lets those who were taken apart join the cohort where they can: one behind the other they make
/// up a stretch of the ranking.
void BatchFormer::join_apart(InFlight& ended) {
  const auto better = [](const auto* a, const auto* b) { return RankIndex::before(*a, *b); };
  if (!std::is_sorted(apart_.begin(), apart_.end(), better)) {
    std::sort(apart_.begin(), apart_.end(), better);
  }
  std::erase_if(apart_, [&](LiveRequest* live) {
    const bool has_left = !state_.ranking.watches(*live);
    if (has_left) dissolve(*live);
    return has_left;
  });
  const auto [first, last] = find_joining(ended);
  for (std::size_t i = 0; i < apart_.size(); ++i) {
    LiveRequest& live = *apart_[i];
    if (i < first || i >= last) {
      dissolve(live);
      continue;
    }
    std::vector<LiveRequest*>& members = ended.members;
    std::vector<Slot>& slots = ended.iteration.slots;
    auto place = members.end();
    if (!members.empty() && !better(members.back(), &live)) {
      place = std::lower_bound(members.begin(), members.end(), &live, better);
    }
    const auto member = place - members.begin();
    members.insert(place, &live);
    fill_decode(*slots.emplace(slots.begin() + member), live);
    state_.cohort.join(static_cast<std::size_t>(member), live,
                       state_.ports.policy.indifferent_for(live.view));
  }
}

/// Which of those apart can join. Where one ranks within the cohort that cannot, the longer part
/// goes on.
std::pair<std::size_t, std::size_t> BatchFormer::find_joining(InFlight& ended) {
  const auto can_join = [&](const LiveRequest& live) {
    return live.facts.request.width == 1 && live.phase == Phase::decode &&
           is_decode(live.view, live.view.computed);
  };
  if (ended.members.empty()) {  // the longest run
    std::size_t first = 0, last = 0, start = 0;
    for (std::size_t i = 0; i < apart_.size(); ++i) {
      if (!can_join(*apart_[i])) {
        start = i + 1;
      } else if (i + 1 - start > last - first) {
        first = start;
        last = i + 1;
      }
    }
    return {first, last};
  }
  std::size_t first = 0, last = apart_.size();
  for (std::size_t i = 0; i < apart_.size() && i < last; ++i) {
    if (can_join(*apart_[i])) continue;
    const auto place =
        std::lower_bound(ended.members.begin(), ended.members.end(), apart_[i],
                         [](const auto* a, const auto* b) { return RankIndex::before(*a, *b); });
    const auto ahead = static_cast<std::size_t>(place - ended.members.begin());
    const std::size_t size = ended.members.size();
    const bool keeps_those_behind = 2 * ahead < size;
    (keeps_those_behind ? first : last) = keeps_those_behind ? i + 1 : i;
    const std::size_t begin = keeps_those_behind ? 0 : ahead;
    const std::size_t end = keeps_those_behind ? ahead : size;
    dissolve(ended, begin, end);
    state_.cohort.erase(begin, end);
  }
  return {first, last};
}

/// Lets the members in these slots go, of whom some may have left already.
void BatchFormer::dissolve(InFlight& ended, std::size_t begin, std::size_t end) {
  const LiveRequest* previous = nullptr;
  for (LiveRequest* live : std::span(ended.members).subspan(begin, end - begin)) {
    if (live != nullptr && std::exchange(previous, live) != live) dissolve(*live);
  }
  erase_slots(ended, begin, end);
}

void BatchFormer::erase_slots(InFlight& batch, std::size_t begin, std::size_t end) {
  const auto from = static_cast<std::ptrdiff_t>(begin), to = static_cast<std::ptrdiff_t>(end);
  batch.members.erase(batch.members.begin() + from, batch.members.begin() + to);
  std::vector<Slot>& slots = batch.iteration.slots;
  slots.erase(slots.begin() + from, slots.begin() + to);
}

/// Takes `live` out of the cohort for good, if it is in it, and lets its policy know what it has
/// not been told.
void BatchFormer::dissolve(LiveRequest& live) {
  if (live.sequences.size() == 1 && live.resident()) fulfil(live);
  state_.cohort.detach(live);
  state_.returned.push_back(&live);
  const Duration untold = std::exchange(live.untold, Duration{0});
  if (untold == Duration{0}) return;
  state_.ports.policy.on_progress(live.view, untold, state_.context, state_.ranking);
}

void BatchFormer::keep_none(InFlight& ended) {
  const std::size_t size = state_.cohort.size();
  cohort_waits_ = false;
  if (size == 0) return;
  dissolve(ended, 0, size);
  state_.cohort.erase(0, size);
}

}  // namespace tokenyard
