#include "experiments/record/stage_bubbles.hpp"

#include <algorithm>

namespace tokenyard {

std::optional<StageBubble> StageBubbles::busy(std::size_t stage, Time from, Time to) {
  if (stage >= idle_since_.size()) idle_since_.resize(stage + 1, kOrigin);
  const StageBubble bubble{stage, std::max(idle_since_[stage], active_since_), from};
  idle_since_[stage] = to;
  busy_ += to - from;
  if (bubble.from >= bubble.to) return std::nullopt;
  bubbles_ += bubble.to - bubble.from;
  return bubble;
}

void StageBubbles::find_drained(bool last, Time now) {
  drained_.clear();
  if (!last) return;
  for (std::size_t stage = 0; stage < idle_since_.size(); ++stage) {
    const StageBubble bubble{stage, std::max(idle_since_[stage], active_since_), now};
    if (bubble.from >= bubble.to) continue;
    bubbles_ += bubble.to - bubble.from;
    drained_.push_back(bubble);
  }
}

std::optional<double> StageBubbles::share() const {
  const Duration all = busy_ + bubbles_;
  if (stages() < 2 || all <= Duration{0}) return std::nullopt;
  return static_cast<double>(bubbles_.count()) / static_cast<double>(all.count());
}

}  // namespace tokenyard
