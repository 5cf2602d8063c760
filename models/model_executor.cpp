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
    SlotOutcome outcome;
    if (slot.yields) {
      outcome.finished = slot.generated + 1 >= oracle_.output_tokens(slot.request, slot.sequence);
      // The first tokens all come from the prompt; after that beams take over from one another.
      if (slot.beam && slot.generated > 0) {
        outcome.parent = beams_.parent(slot.request, slot.generated, slot.sequence, slot.width);
      }
    }
    outcomes_.push_back(outcome);
  }
  events.post(now + cost_.iteration(iteration.load), index(iteration.id),
              IterationEnd{iteration.id, outcomes_});
}

}  // namespace tokenyard
