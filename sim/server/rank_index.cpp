#include "sim/server/rank_index.hpp"

#include <iterator>
#include <utility>

#include "sim/kernel/invariant.hpp"

namespace tokenyard {

RankIndex::~RankIndex() {
  order_.clear();
  residents_.clear();
}

LiveRequest& RankIndex::find(RequestId request) {
  LiveRequest* live = live_.find(request);
  invariant(live != nullptr, "I5 only live requests are ranked", "request {} is not live",
            index(request));
  return *live;
}

void RankIndex::set(RequestId request, RankKey key) {
  change(find(request), key, false);
}

void RankIndex::hold(RequestId request) {
  LiveRequest& live = find(request);
  change(live, live.key, true);
}

/// Whether `live`, already changed, still stands rightly between its neighbours.
bool RankIndex::keeps_place(LiveRequest& live) {
  const auto here = order_.iterator_to(live);
  if (here != order_.begin() && !before(*std::prev(here), live)) return false;
  const auto next = std::next(here);
  return next == order_.end() || before(live, *next);
}

void RankIndex::change(LiveRequest& live, RankKey key, bool held) {
  const bool ranked = live.RankingHook::is_linked();
  const bool resident = live.ResidentHook::is_linked();
  // Who was not asked for its progress is not expected to move.
  if (live.in_cohort) {
    stands_ = false;
    any_moved_ = true;
  }
  const RankKey key_before = std::exchange(live.key, key);
  live.held = held;
  // Most changes (SRPT after each token) keep the order: then nothing needs to move. Nor does it
  // among the residents, of whom the ranked come in the same order before the held.
  if (ranked && !held && keeps_place(live)) return;
  const bool was_watched = ranked && watches(live, key_before);
  if (was_watched) {
    any_moved_ = true;
    leave_watched(live);
  }
  if (ranked) order_.erase(order_.iterator_to(live));
  // Who was among the watched only changes place with others of them, or leaves them.
  if (!was_watched && watches(live)) stands_ = false;
  if (resident) residents_.erase(residents_.iterator_to(live));
  if (!held) order_.insert(live);
  if (resident) residents_.insert(live);
}

void RankIndex::update_residency(LiveRequest& live) {
  const bool listed = live.ResidentHook::is_linked();
  if (live.resident() && !listed) residents_.insert(live);
  if (!live.resident() && listed) residents_.erase(residents_.iterator_to(live));
}

void RankIndex::erase(LiveRequest& live) {
  if (live.ResidentHook::is_linked()) residents_.erase(residents_.iterator_to(live));
  if (!live.RankingHook::is_linked()) return;
  const auto here = order_.iterator_to(live);
  leave_watched(live);
  order_.erase(here);
}

/// Whether it was watched when it was ranked by `key`.
bool RankIndex::watches(LiveRequest& live, RankKey key) const {
  std::swap(live.key, key);
  const bool held = std::exchange(live.held, false);
  const bool watched = watches(live);
  live.held = held;
  live.key = key;
  return watched;
}

void RankIndex::leave_watched(LiveRequest& live) {
  if (&live != watched_first_ && &live != watched_last_) return;
  const auto here = order_.iterator_to(live);
  if (watched_first_ == watched_last_) {
    watched_first_ = watched_last_ = nullptr;
  } else if (&live == watched_first_) {
    watched_first_ = &*std::next(here);
  } else {
    watched_last_ = &*std::prev(here);
  }
}

}  // namespace tokenyard
