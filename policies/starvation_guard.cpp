#include "policies/starvation_guard.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace tokenyard {

namespace {

using Key = std::numeric_limits<std::int64_t>;

std::int64_t ns(Time at) {
  return at.time_since_epoch().count();
}

class StarvationGuard final : public Policy {
 public:
  StarvationGuard(std::unique_ptr<Policy> inner, Parameters& p) : inner_(std::move(inner)) {
    const double after_ms =
        p.number("after_ms", 0, 1e-6, 1e9, "goes ahead of all after waiting this long");
    const std::int64_t skips =
        p.integer("skips", 0, 1, 1'000'000'000'000,
                  "goes ahead of all when passed over in so many iterations");
    aging_ = p.number("aging", 0, 1e-9, 1e18, "units of the policy's key gained a second waited");
    p.refuse_unread();
    if (p.given("after_ms") + p.given("skips") + p.given("aging") != 1) {
      p.refuse("after_ms, skips, aging", "give exactly one of them");
    }
    by_skips_ = p.given("skips");
    patience_ = by_skips_ ? skips : std::llround(after_ms * 1e6);
  }

  Needs needs() const override { return inner_->needs(); }

  void on_arrive(const RequestView& request, const PolicyContext& context,
                 Ranking& ranking) override {
    if (request.slot >= states_.size()) states_.resize(request.slot + 1);
    states_[request.slot] = State();
    Door door(*this, context, ranking);
    inner_->on_arrive(request, context, door);
    // What fell into a long iteration is shown after `refresh`, and may have waited long enough.
    send_ahead(context, ranking);
  }

  void on_progress(const RequestView& request, Duration ran, const PolicyContext& context,
                   Ranking& ranking) override {
    State& state = states_[request.slot];
    if (state.ahead) {  // it has had its turn
      state.ahead = false;
      place(request, ranking);
    }
    Door door(*this, context, ranking);
    inner_->on_progress(request, ran, context, door);
    if (aging_ > 0 && state.ranked && state.since != since(request)) place(request, ranking);
  }

  void on_evict(const RequestView& request, Eviction eviction, const PolicyContext& context,
                Ranking& ranking) override {
    Door door(*this, context, ranking);
    inner_->on_evict(request, eviction, context, door);
  }

  void on_end(const RequestView& request, Departure departure,
              const PolicyContext& context) override {
    unlist(request);
    inner_->on_end(request, departure, context);
  }

  void refresh(const PolicyContext& context, Ranking& ranking) override {
    Door door(*this, context, ranking);
    inner_->refresh(context, door);
    send_ahead(context, ranking);
  }

  Time wake_at(const PolicyContext& context) const override { return inner_->wake_at(context); }

  Steady steady(const Running& running, const PolicyContext& context) const override {
    if (aging_ > 0) return {};  // who runs loses its credit
    for (const RequestView* request : running.requests) {
      if (states_[request->slot].ahead) return {};
    }
    Steady steady = inner_->steady(running, context);
    if (waiting_.empty()) return steady;
    const std::int64_t due = waiting_.begin()->first + patience_;
    if (!by_skips_) {
      steady.until = std::min(steady.until, kOrigin + Duration(due));
    } else {
      // The iteration about to begin is counted already.
      const std::int64_t left = due - static_cast<std::int64_t>(context.iterations()) + 1;
      steady.iterations = std::min(steady.iterations, std::max<std::int64_t>(1, left));
    }
    return steady;
  }

  int level(const RequestView& request) const override { return inner_->level(request); }
  std::optional<Time> next_scheduled(const RequestView& request,
                                     const PolicyContext& context) const override {
    return inner_->next_scheduled(request, context);
  }

 private:
  struct State {
    RankKey key;             // the inner policy's
    bool ranked = false;     // and not held
    bool ahead = false;      // of all unguarded ones
    bool listed = false;     // in `waiting_`
    std::int64_t since = 0;  // what it is listed under in `waiting_`, or what its aged key counts
  };

  /// The ranking as the inner policy sees it.
  class Door final : public Ranking {
   public:
    Door(StarvationGuard& guard, const PolicyContext& context, Ranking& ranking)
        : guard_(guard), context_(context), ranking_(ranking) {}

    void set(RequestId id, RankKey key) override {
      const RequestView& request = context_.request(id);
      State& state = guard_.states_[request.slot];
      state.key = key;
      state.ranked = true;
      if (!state.ahead) guard_.place(request, ranking_);
    }

    void hold(RequestId id) override {
      const RequestView& request = context_.request(id);
      State& state = guard_.states_[request.slot];
      guard_.unlist(request);
      state.ranked = state.ahead = false;
      ranking_.hold(id);
    }

   private:
    StarvationGuard& guard_;
    const PolicyContext& context_;
    Ranking& ranking_;
  };

  /// Since when it waits, as `patience_` counts: in ns, or in iterations.
  std::int64_t since(const RequestView& request) const {
    return by_skips_ ? static_cast<std::int64_t>(request.last_iteration) : ns(request.last_ran);
  }

  /// Gives an unguarded request the place that the inner policy wants, aged where asked.
  void place(const RequestView& request, Ranking& ranking) {
    State& state = states_[request.slot];
    RankKey key = state.key;
    if (aging_ > 0) {
      state.since = since(request);
      key.primary = aged(key.primary, state.since);
    } else {
      list(request);
      key.primary = std::max(key.primary, Key::min() + 1);  // the very best is for the guarded
    }
    ranking.set(request.id, key);
  }

  void list(const RequestView& request) {
    State& state = states_[request.slot];
    // An entry may be older than the truth; `send_ahead` looks again when it falls due.
    if (state.listed) return;
    state.listed = true;
    state.since = since(request);
    waiting_.insert({state.since, request.id});
  }

  void unlist(const RequestView& request) {
    State& state = states_[request.slot];
    if (state.listed) waiting_.erase({state.since, request.id});
    state.listed = false;
  }

  /// primary - R (now - since) for all requests is the order of primary + R since, which changes
  /// only when a request runs.
  std::int64_t aged(std::int64_t primary, std::int64_t since_ns) const {
    const double units = std::floor(aging_ * static_cast<double>(since_ns) / 1e9);
    constexpr double kMost = 9e18;
    const auto credit = static_cast<std::int64_t>(std::min(units, kMost));
    return primary > Key::max() - credit ? Key::max() : primary + credit;
  }

  void send_ahead(const PolicyContext& context, Ranking& ranking) {
    const std::int64_t now =
        by_skips_ ? static_cast<std::int64_t>(context.iterations()) : ns(context.now());
    while (!waiting_.empty() && now - waiting_.begin()->first >= patience_) {
      const RequestView& request = context.request(waiting_.begin()->second);
      State& state = states_[request.slot];
      unlist(request);
      // Most of those that are listed have run since; the list follows only when it matters.
      if (state.since != since(request)) {
        list(request);
      } else {
        state.ahead = true;
        ranking.set(request.id, {Key::min(), ns(request.last_ran)});
      }
    }
  }

  std::unique_ptr<Policy> inner_;
  double aging_ = 0;  // 0: this guard sends ahead
  bool by_skips_ = false;
  std::int64_t patience_ = 0;                             // ns or iterations
  std::vector<State> states_;                             // by slot
  std::set<std::pair<std::int64_t, RequestId>> waiting_;  // ranked and not ahead, by `since`
};

}  // namespace

std::unique_ptr<Policy> guard_against_starvation(std::unique_ptr<Policy> inner,
                                                 std::string_view text) {
  Parameters parameters = Parameters::parse("guard", text);
  return std::make_unique<StarvationGuard>(std::move(inner), parameters);
}

}  // namespace tokenyard
