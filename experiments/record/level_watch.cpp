#include "experiments/record/level_watch.hpp"

#include <utility>

namespace tokenyard {

namespace {

class LevelWatch final : public Policy {
 public:
  LevelWatch(std::unique_ptr<Policy> inner, LevelCounts& counts)
      : inner_(std::move(inner)), counts_(counts) {}

  Needs needs() const override { return inner_->needs(); }

  void on_arrive(const RequestView& request, const PolicyContext& context,
                 Ranking& ranking) override {
    if (request.slot >= levels_.size()) levels_.resize(request.slot + 1, kNoLevel);
    Door door(ranking, touched_);
    inner_->on_arrive(request, context, door);
    count(context);
  }

  void on_progress(const RequestView& request, Duration ran, const PolicyContext& context,
                   Ranking& ranking) override {
    Door door(ranking, touched_);
    inner_->on_progress(request, ran, context, door);
    count(context);
  }

  void on_evict(const RequestView& request, Eviction eviction, const PolicyContext& context,
                Ranking& ranking) override {
    Door door(ranking, touched_);
    inner_->on_evict(request, eviction, context, door);
    count(context);
  }

  void on_end(const RequestView& request, Departure departure,
              const PolicyContext& context) override {
    inner_->on_end(request, departure, context);
    move(request.slot, kNoLevel);
  }

  void refresh(const PolicyContext& context, Ranking& ranking) override {
    Door door(ranking, touched_);
    inner_->refresh(context, door);
    count(context);
  }

  Duration indifferent_for(const RequestView& request) const override {
    return inner_->indifferent_for(request);
  }
  Duration unmoved_for(const RequestView& request) const override {
    return inner_->unmoved_for(request);
  }
  Time wake_at(const PolicyContext& context) const override { return inner_->wake_at(context); }
  Steady steady(const Running& running, const PolicyContext& context) const override {
    return inner_->steady(running, context);
  }
  std::optional<Time> next_scheduled(const RequestView& request,
                                     const PolicyContext& context) const override {
    return inner_->next_scheduled(request, context);
  }
  int level(const RequestView& request) const override { return inner_->level(request); }

 private:
  static constexpr int kNoLevel = -1;

  /// The ranking as the inner policy sees it: it notes who is given a place.
  class Door final : public Ranking {
   public:
    Door(Ranking& ranking, std::vector<RequestId>& touched)
        : ranking_(ranking), touched_(touched) {}

    void set(RequestId request, RankKey key) override {
      ranking_.set(request, key);
      touched_.push_back(request);
    }
    void hold(RequestId request) override {
      ranking_.hold(request);
      touched_.push_back(request);
    }

   private:
    Ranking& ranking_;
    std::vector<RequestId>& touched_;
  };

  /// Only after a hook is a policy sure to know its own levels.
  void count(const PolicyContext& context) {
    for (const RequestId id : touched_) {
      const RequestView& request = context.request(id);
      move(request.slot, inner_->level(request));
    }
    touched_.clear();
  }

  void move(std::uint32_t slot, int level) {
    const int before = std::exchange(levels_[slot], level);
    if (before != kNoLevel) --counts_[static_cast<std::size_t>(before)];
    if (level == kNoLevel) return;
    const auto place = static_cast<std::size_t>(level);
    if (place >= counts_.size()) counts_.resize(place + 1);
    ++counts_[place];
  }

  std::unique_ptr<Policy> inner_;
  LevelCounts& counts_;
  std::vector<int> levels_;  // by slot
  std::vector<RequestId> touched_;
};

}  // namespace

std::unique_ptr<Policy> watch_levels(std::unique_ptr<Policy> policy, LevelCounts& counts) {
  return std::make_unique<LevelWatch>(std::move(policy), counts);
}

}  // namespace tokenyard
