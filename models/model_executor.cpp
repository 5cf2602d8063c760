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
  outcomes_.clear();
  for (const Slot& slot : iteration.slots) {
    const bool finished = slot.yields && slot.generated + 1 >= oracle_.output_tokens(slot.request);
    outcomes_.push_back({finished});
  }
  events.post(now + cost_.iteration(iteration.load), index(iteration.id),
              IterationEnd{iteration.id, outcomes_});
}

}  // namespace tokenyard
