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
  std::int64_t most = iteration.repeat.most;
  for (const Slot& slot : iteration.slots) {
    if (slot.yields) most = std::min(most, tokens_left(slot));
  }
  run(iteration, most, now, events.next_time(Events::kKinds));
  const auto times = static_cast<std::int64_t>(ends_.size());
  outcomes_.clear();
  for (const Slot& slot : iteration.slots) {
    SlotOutcome outcome;
    if (slot.yields) {
      outcome.finished = tokens_left(slot) <= times;
      // The first tokens all come from the prompt; after that beams take over from one another.
      if (slot.beam && slot.generated > 0) {
        outcome.parent = beams_.parent(slot.request, slot.generated, slot.sequence, slot.width);
      }
    }
    outcomes_.push_back(outcome);
  }
  events.post(ends_.back(), index(iteration.id), IterationEnd{iteration.id, outcomes_, ends_});
}

std::int64_t ModelExecutor::tokens_left(const Slot& slot) const {
  return std::max<std::int64_t>(
      1, oracle_.output_tokens(slot.request, slot.sequence) - slot.generated);
}

/// Fills `ends_`: `iteration` at most `most` times, until it meets a bound or an event is due.
void ModelExecutor::run(const Iteration& iteration, std::int64_t most, Time now, Time next_event) {
  const Time until = std::min(iteration.repeat.until, next_event);
  IterationLoad load = iteration.load;
  Time end = now;
  ends_.clear();
  do {
    end += cost_.iteration(load);
    ends_.push_back(end);
    load.decode_context_tokens += iteration.repeat.more_context_tokens;
  } while (--most > 0 && end < until && end - now < iteration.repeat.length);
}

}  // namespace tokenyard
