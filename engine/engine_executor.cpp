#include "engine/engine_executor.hpp"

#include <algorithm>

#include "sim/kernel/clock.hpp"

namespace tokenyard {

namespace {

/// Carries `work` out and says how long that took, at least a nanosecond.
template <typename Work>
Duration timed(Work work) {
  const WallClock since_now;
  work();
  return std::max(Duration{1}, since_now.now() - kOrigin);
}

}  // namespace

void EngineExecutor::begin(const Iteration& iteration, Time now, Events& events) {
  for (const KvCopy& copy : iteration.copies) {
    const Duration took = timed([&] { engine_.copy(copy); });
    const auto blocks = static_cast<std::int64_t>(copy.host_blocks.size());
    Time& free_at = channel_free_at_[static_cast<std::size_t>(copy.direction)];
    free_at = std::max(now, free_at) + (cost_ != nullptr ? cost_->copy(blocks) : took);
    events.post(free_at, index(copy.id), CopyEnd{copy.id});
  }
  if (iteration.slots.empty()) return;
  engine_.prepare(iteration);
  std::span<const SlotOutcome> outcomes;
  const Duration took = timed([&] { outcomes = engine_.compute(iteration); });
  const Duration charged = cost_ != nullptr ? cost_->iteration(iteration.load) : took;
  events.post(now + charged, index(iteration.id), IterationEnd{iteration.id, outcomes});
}

}  // namespace tokenyard
