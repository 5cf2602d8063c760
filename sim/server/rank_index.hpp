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

  /// From now on notes whether the order up to and with `last` changes, but for who leaves it.
  void watch_head(LiveRequest& last) {
    head_last_ = &last;
    head_stands_ = true;
  }
  /// Whether `live`, which was of the watched head, still is.
  bool in_head(const LiveRequest& live) const {
    return head_last_ != nullptr && !before(*head_last_, live);
  }
  /// Whether the order of the watched head stands, and somebody of it is still there.
  bool head_stands() const { return head_stands_ && head_last_ != nullptr; }

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
  void leave_head(LiveRequest& live);

  LiveTable& live_;
  LiveRequest* head_last_ = nullptr;
  bool head_stands_ = false;
  Order order_;
  Residents residents_;
};

}  // namespace tokenyard
