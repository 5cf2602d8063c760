#pragma once

#include <boost/intrusive/set.hpp>

#include "sim/ports/ranking.hpp"
#include "sim/server/live_table.hpp"

namespace tokenyard {

/// The ranking as the server holds it: all ranked requests from the best, and those that hold KV
/// blocks from the worst. Two balanced trees over hooks inside `LiveRequest`, so a change costs
/// O(log n) and no allocation; a change that keeps the place costs O(1). Not thread-safe.
class RankIndex final : public Ranking {
 public:
  explicit RankIndex(LiveTable& live) : live_(live) {}
  ~RankIndex() override;

  void set(RequestId request, RankKey key) override;
  void hold(RequestId request) override;

  /// Puts a request that now holds blocks among the residents, or takes out one that does not.
  void update_residency(LiveRequest& live);
  /// Forgets a request altogether. It must hold no blocks.
  void erase(LiveRequest& live);

  /// From now on notes whether others come between those who rank from `first` to `last`. They may
  /// leave, and change places among themselves.
  void watch(LiveRequest& first, LiveRequest& last) {
    watched_first_ = &first;
    watched_last_ = &last;
    stands_ = true;
    any_moved_ = false;
  }
  /// Whether nobody has come between them, and one of them is still there.
  bool stands() const { return stands_ && watched_first_ != nullptr; }
  /// Whether one of them has changed its place.
  bool any_moved() const { return any_moved_; }
  /// Whether `live` ranks from the first to the last of them.
  bool watches(const LiveRequest& live) const {
    return watched_first_ != nullptr && !before(live, *watched_first_) &&
           !before(*watched_last_, live);
  }

  /// Whether `a` is served before `b`; held requests come after all ranked ones.
  static bool before(const LiveRequest& a, const LiveRequest& b) {
    if (a.held != b.held) return b.held;
    if (a.key != b.key) return a.key < b.key;
    return a.view.id < b.view.id;
  }

  struct Before {
    bool operator()(const LiveRequest& a, const LiveRequest& b) const { return before(a, b); }
  };
  using Order = boost::intrusive::set<LiveRequest, boost::intrusive::base_hook<RankingHook>,
                                      boost::intrusive::compare<Before>>;
  using Residents = boost::intrusive::set<LiveRequest, boost::intrusive::base_hook<ResidentHook>,
                                          boost::intrusive::compare<Before>>;

  /// The ranked requests, best first.
  Order& order() { return order_; }
  /// The requests that hold blocks, best first; the worst and then the held are at the end.
  Residents& residents() { return residents_; }

 private:
  LiveRequest& find(RequestId request);
  void change(LiveRequest& live, RankKey key, bool held);
  bool keeps_place(LiveRequest& live);
  bool watches(LiveRequest& live, RankKey key) const;
  void leave_watched(LiveRequest& live);

  LiveTable& live_;
  LiveRequest* watched_first_ = nullptr;
  LiveRequest* watched_last_ = nullptr;
  bool stands_ = false;
  bool any_moved_ = false;
  Order order_;
  Residents residents_;
};

}  // namespace tokenyard
