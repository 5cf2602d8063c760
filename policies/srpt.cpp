// Shortest remaining processing time (Schrage 1968) on predicted lengths. The key is the predicted
// output still to come, at least 1; equal keys go to the smaller RequestId.

#include <algorithm>
#include <cmath>
#include <vector>

#include "sim/ports/policy.hpp"

namespace tokenyard {
namespace {

class Srpt final : public Policy {
 public:
  using View = RequestView;
  using Context = PolicyContext;

  explicit Srpt(Parameters& p)
      : by_work_(p.choice("size", {"tokens", "work"},
                          "remaining output tokens, or all work left in time alone") == 1) {}

  Needs needs() const override { return {.length_predictor = true}; }

  void on_arrive(const View& request, const Context& context, Ranking& ranking) override {
    stands_ = context.predictor().stands();
    if (request.slot >= totals_.size()) totals_.resize(request.slot + 1);
    totals_[request.slot] = predicted(request, context);
    rank(request, context, ranking);
  }
  void on_progress(const View& view, Duration, const Context& context, Ranking& ranking) override {
    rank(view, context, ranking);
  }
  void on_evict(const View& view, Eviction, const Context& context, Ranking& ranking) override {
    rank(view, context, ranking);
  }

  /// The keys of all that run fall together, ahead of all others, until one meets its least.
  Steady steady(const Running& running, const Context& context) const override {
    if (by_work_ || !running.leads || !stands_) return {};
    std::int64_t least = Steady::kForGood, at_least = 0;
    for (const View* request : running.requests) {
      const std::int64_t left = tokens_left(*request, context);
      (left > 1 ? least : at_least) = left > 1 ? std::min(least, left) : 1;
    }
    return {.iterations = least - at_least};
  }

 private:
  static std::int64_t predicted(const View& request, const Context& context) {
    return static_cast<std::int64_t>(std::round(context.predictor().output_tokens_mean(request)));
  }

  std::int64_t tokens_left(const View& request, const Context& context) const {
    const std::int64_t total = stands_ ? totals_[request.slot] : predicted(request, context);
    return std::max<std::int64_t>(1, total - request.generated);
  }

  void rank(const View& request, const Context& context, Ranking& ranking) const {
    const std::int64_t left = tokens_left(request, context);
    ranking.set(request.id, {by_work_ ? work_ns(request, left, context.cost()) : left});
  }

  /// What is still to be computed before the next token, then a decode iteration for each other
  /// token at its present context, all alone in the batch.
  static std::int64_t work_ns(const View& request, std::int64_t left, const CostModel& cost) {
    const std::int64_t known = request.known_tokens();
    const Duration decode = cost.iteration(IterationLoad::one_decode(known));
    if (request.pending_tokens() == 1) return left * decode.count();
    const auto prefill = IterationLoad::one_prefill(request.pending_tokens(), known);
    return cost.iteration(prefill).count() + (left - 1) * decode.count();
  }

  bool by_work_;
  bool stands_ = false;               // the prediction, as its predictor says
  std::vector<std::int64_t> totals_;  // by slot: the prediction at the arrival, where it stands
};

}  // namespace

extern const PolicyEntry srpt{
    "srpt", "shortest predicted remaining output first",
    [](Parameters& p) -> std::unique_ptr<Policy> { return std::make_unique<Srpt>(p); }};

}  // namespace tokenyard
