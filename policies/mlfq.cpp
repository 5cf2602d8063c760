// Multi-level feedback queues, naive and skip-join (FastServe, Wu et al., NSDI 2026, section 4.1).
// Level l has the quantum base x ratio^l; a request whose service at its level reaches the quantum
// sinks. Naive: all start at level 0. Skip-join: at the first level whose quantum covers the first
// iteration alone. Joining is numbered in the order of the boundary: progress in ranking order,
// promotions (longest wait first, then the smaller RequestId), arrivals.

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <vector>

#include "policies/levels.hpp"
#include "policies/promotion.hpp"

namespace tokenyard {

namespace {

class Mlfq final : public Policy {
 public:
  using View = RequestView;
  using Context = PolicyContext;

  Mlfq(Parameters& p, bool skip_join) : skip_join_(skip_join) {
    base_ms_ = p.number("base_quantum_ms", 0, 1e-6, 1e9,
                        "quantum of level 0 (0: a decode iteration at batch 1, context 1)");
    ratio_ = p.number("ratio", 2, 1, 1e6, "quantum of a level over that of the one above");
    levels_ = p.integer("levels", 0, 0, Levels::kMostLevels,
                        "the last never demotes; 0 = as many as needed");
    fit_ = p.choice("demote", {"one", "fit"}, "one level, or to what fits the next iteration") == 1;
    carry_ = p.choice("overrun", {"forget", "carry"}, "service beyond the quantum") == 1;
    order_ = p.choice("order", {"fifo", "lifo", "arrival"}, "place inside a level, by joining it");
    promotion_.emplace(p);
    if ((skip_join_ || fit_) && ratio_ == 1 && levels_ == 0) {
      p.refuse("levels", "a ratio of 1 needs a number of levels here");
    }
  }

  void on_arrive(const View& request, const Context& context, Ranking& ranking) override {
    if (!ladder_) ladder_.emplace(base_quantum(context.cost()), ratio_, levels_);
    if (request.slot >= states_.size()) states_.resize(request.slot + 1);
    states_[request.slot] = State();
    ladder_->count(0, 1);
    const std::int64_t prompt = request.prompt_tokens;
    const Duration first = context.cost().iteration(IterationLoad::one_prefill(prompt, prompt));
    join(request, skip_join_ ? ladder_->level_for(first) : 0, Duration{0}, ranking);
  }

  void on_progress(const View& request, Duration ran, const Context& context,
                   Ranking& ranking) override {
    State& state = states_[request.slot];
    state.service += ran;
    if (state.service < state.quantum) return;
    std::int64_t level = state.level + 1;
    if (fit_) level = std::max(level, ladder_->level_for(next_iteration(request, context.cost())));
    join(request, level, carry_ ? state.service - state.quantum : Duration{0}, ranking);
  }

  Duration indifferent_for(const View& request) const override {
    const State& state = states_[request.slot];
    return state.quantum == Duration::max() ? state.quantum : state.quantum - state.service;
  }

  Duration unmoved_for(const View& request) const override {
    const bool one_level = !fit_ && !carry_;  // what is carried may use up the next quantum too
    return one_level ? ladder_->alone_below(states_[request.slot].level) : Duration{0};
  }

  void on_end(const View& request, Departure, const Context&) override {
    waiting_.erase({states_[request.slot].waits_since, request.id});
    ladder_->count(states_[request.slot].level, -1);
  }

  void refresh(const Context& context, Ranking& ranking) override {
    while (!waiting_.empty() && context.now() >= promotion_->at(waiting_.begin()->first)) {
      const View& request = context.request(waiting_.begin()->second);
      State& state = states_[request.slot];
      waiting_.erase(waiting_.begin());
      // `last_ran` moves with every iteration; this index follows only when it matters.
      if (state.waits_since != request.last_ran) {
        state.waits_since = request.last_ran;
        waiting_.insert({state.waits_since, request.id});
      } else {
        join(request, 0, Duration{0}, ranking);
      }
    }
  }

  Steady steady(const Running& running, const Context&) const override {
    Steady steady{.iterations = Steady::kForGood};
    for (const View* request : running.requests) {
      const State& state = states_[request->slot];
      if (state.quantum == Duration::max()) continue;  // the last level
      steady.length = std::min(steady.length, state.quantum - state.service);
    }
    if (!waiting_.empty()) steady.until = promotion_->at(waiting_.begin()->first);
    return steady;
  }

  /// FastServe's ENST (section 4.2): its promotion, or when all above have sunk to its level,
  /// shared by a full batch.
  std::optional<Time> next_scheduled(const View& request, const Context& context) const override {
    const std::int64_t level = states_[request.slot].level;
    const double wait_ns = ladder_->sinking_ns(level) / static_cast<double>(context.max_num_seqs());
    const Time executes = context.now() + Duration(std::llround(std::min(wait_ns, 1e18)));
    if (promotion_->never() || level == 0) return executes;
    return std::min(executes, std::max(context.now(), promotion_->at(request.last_ran)));
  }

  int level(const View& view) const override { return static_cast<int>(states_[view.slot].level); }

 private:
  struct State {
    std::int64_t level = 0;
    Duration service{0};  // received at this level
    Duration quantum{0};  // of this level; endless at the last
    Time waits_since = kOrigin;
  };

  Duration base_quantum(const CostModel& cost) const {
    const Duration decode = cost.iteration(IterationLoad::one_decode(1));
    return std::max(Duration{1}, base_ms_ > 0 ? milliseconds(base_ms_) : decode);
  }

  static Duration next_iteration(const View& request, const CostModel& cost) {
    const std::int64_t known = request.known_tokens();
    if (request.pending_tokens() == 1) return cost.iteration(IterationLoad::one_decode(known));
    return cost.iteration(IterationLoad::one_prefill(request.pending_tokens(), known));
  }

  void join(const View& request, std::int64_t level, Duration service, Ranking& ranking) {
    State& state = states_[request.slot];
    if (!promotion_->never() && level > 0 && state.level == 0) {
      state.waits_since = request.last_ran;
      waiting_.insert({state.waits_since, request.id});
    }
    ladder_->count(state.level, -1);
    ladder_->count(level, 1);
    state.level = level;
    state.service = service;
    state.quantum = ladder_->is_last(level) ? Duration::max() : ladder_->quantum(level);
    ++joins_;
    const std::int64_t places[] = {joins_, -joins_, request.arrived.time_since_epoch().count()};
    ranking.set(request.id, {level, places[order_]});
  }

  bool skip_join_, fit_ = false, carry_ = false;
  double base_ms_ = 0, ratio_ = 2;
  std::int64_t levels_ = 0, joins_ = 0;
  std::size_t order_ = 0;
  std::optional<Promotion> promotion_;
  mutable std::optional<Levels> ladder_;          // once the cost model is known
  std::vector<State> states_;                     // by slot
  std::set<std::pair<Time, RequestId>> waiting_;  // level > 0, where promotion is on
};

}  // namespace

extern const PolicyEntry mlfq{
    "mlfq", "multi-level feedback queues, all start at the top",
    [](Parameters& p) -> std::unique_ptr<Policy> { return std::make_unique<Mlfq>(p, false); }};
extern const PolicyEntry skip_join_mlfq{
    "skip-join-mlfq", "multi-level feedback queues, long prompts start lower (FastServe)",
    [](Parameters& p) -> std::unique_ptr<Policy> { return std::make_unique<Mlfq>(p, true); }};

}  // namespace tokenyard
