#include "models/model_executor.hpp"

#include <algorithm>

namespace tokenyard {

void ModelExecutor::begin(const Iteration& iteration, Time now, Events& events) {
  for (const KvCopy& copy : iteration.copies) {
    Time& free_at = channel_free_at_[static_cast<std::size_t>(copy.direction)];
    const auto blocks = static_cast<std::int64_t>(copy.host_blocks.size());
    free_at = std::max(now, free_at) + cost_.copy(blocks);
    events.post(free_at, index(copy.id), CopyEnd{copy.id});
  }
  if (iteration.slots.empty()) return;
  Repeat repeat = iteration.repeat;
  repeat.most = std::min(repeat.most, outcomes_.tokens_left(iteration));
  repeat.until = std::min(repeat.until, events.next_time(Events::kKinds));
  cost_.repeat(iteration.load, repeat, now, ends_);
  events.post(ends_.back(), index(iteration.id), outcomes_.after(iteration, ends_));
}

}  // namespace tokenyard
