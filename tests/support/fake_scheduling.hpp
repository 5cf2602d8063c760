#pragma once
// Stand-ins for what the server gives a policy: a ranking that remembers what it was told, and a
// context whose time a test moves by hand.

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "sim/ports/policy.hpp"

namespace tokenyard::test {

/// Remembers each request's place and every call in its order.
class RecordingRanking final : public Ranking {
 public:
  struct Call {
    RequestId request{};
    std::optional<RankKey> key;  ///< nothing: held
    friend bool operator==(const Call&, const Call&) = default;
  };

  void set(RequestId request, RankKey key) override {
    calls.push_back({request, key});
    places[request] = key;
  }
  void hold(RequestId request) override {
    calls.push_back({request, std::nullopt});
    places[request] = std::nullopt;
  }

  RankKey key(std::uint32_t request) const { return places.at(RequestId{request}).value(); }

  /// The ranked requests, best first; ties to the smaller id, as the server breaks them.
  std::vector<std::uint32_t> order() const {
    std::set<std::pair<RankKey, std::uint32_t>> sorted;
    for (const auto& [id, place] : places) {
      if (place) sorted.insert({*place, static_cast<std::uint32_t>(id)});
    }
    std::vector<std::uint32_t> ids;
    for (const auto& [place, id] : sorted) ids.push_back(id);
    return ids;
  }

  std::vector<Call> calls;
  std::map<RequestId, std::optional<RankKey>> places;
};

/// A context over views that the test owns.
class FakeContext final : public PolicyContext {
 public:
  explicit FakeContext(const CostModel& cost, const LengthPredictor* predictor = nullptr) {
    cost_ = &cost;
    predictor_ = predictor;
  }

  const RequestView& request(RequestId id) const override {
    ++asked;
    return views.at(id);
  }

  void at(Time now) { now_ = now; }
  void advance(Duration by) { now_ += by; }
  void count_iteration() { ++iterations_; }

  std::map<RequestId, RequestView> views;
  mutable std::size_t asked = 0;  ///< how often a policy looked at a request
};

/// One policy with its ranking, driven by hand as the server would drive it.
class PolicyBench {
 public:
  PolicyBench(std::unique_ptr<Policy> policy, const CostModel& cost,
              const LengthPredictor* predictor = nullptr)
      : policy_(std::move(policy)), context(cost, predictor) {}

  /// Request `id` arrives now.
  RequestView& arrive(std::uint32_t id, std::int64_t prompt_tokens = 1) {
    RequestView& view = context.views[RequestId{id}];
    view.id = RequestId{id};
    view.slot = id;
    view.arrived = view.last_ran = context.now();
    view.last_iteration = context.iterations();
    view.prompt_tokens = prompt_tokens;
    view.max_tokens = 1'000'000;
    policy_->on_arrive(view, context, ranking);
    return view;
  }

  /// It has just run for `ran`, which ends now, and computed `tokens` (0: all that was pending).
  void progress(std::uint32_t id, Duration ran, std::int64_t tokens = 0) {
    RequestView& view = context.views.at(RequestId{id});
    const std::int64_t pending = view.pending_tokens();
    if (tokens == 0) tokens = pending;
    view.computed += tokens;
    view.generated += tokens == pending ? 1 : 0;
    view.served += ran;
    view.last_ran = context.now();
    view.last_iteration = context.iterations();
    policy_->on_progress(view, ran, context, ranking);
  }

  void evict(std::uint32_t id) {
    RequestView& view = context.views.at(RequestId{id});
    view.computed = 0;
    view.blocks_held = 0;
    view.kv = KvPlace::none;
    policy_->on_evict(view, Eviction::recompute, context, ranking);
  }

  void end(std::uint32_t id, Departure departure = Departure::finished) {
    policy_->on_end(context.views.at(RequestId{id}), departure, context);
    context.views.erase(RequestId{id});
    ranking.places.erase(RequestId{id});
  }

  void refresh() { policy_->refresh(context, ranking); }
  int level(std::uint32_t id) const { return policy_->level(context.views.at(RequestId{id})); }

 private:
  std::unique_ptr<Policy> policy_;

 public:
  FakeContext context;
  RecordingRanking ranking;
};

}  // namespace tokenyard::test
