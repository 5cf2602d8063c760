#include "models/model_executor.hpp"

#include <algorithm>
#include <limits>

namespace tokenyard {

/// What the oracle says; asked once where it can be remembered.
inline std::int64_t ModelExecutor::output_tokens(const Slot& slot) {
  if (slot.width > 1) return oracle_.output_tokens(slot.request, slot.sequence);
  if (slot.place >= known_.size()) known_.resize(slot.place + 1);
  KnownOutput& known = known_[slot.place];
  if (known.request != slot.request) {
    known = {slot.request, oracle_.output_tokens(slot.request, slot.sequence)};
  }
  return known.tokens;
}

void ModelExecutor::begin(const Iteration& iteration, Time now, Events& events) {
  for (const KvCopy& copy : iteration.copies) {
    Time& free_at = channel_free_at_[static_cast<std::size_t>(copy.direction)];
    const auto blocks = static_cast<std::int64_t>(copy.host_blocks.size());
    free_at = std::max(now, free_at) + cost_.copy(blocks);
    events.post(free_at, index(copy.id), CopyEnd{copy.id});
  }
  if (iteration.slots.empty()) return;
  const std::size_t slots = iteration.slots.size();
  std::int64_t most = iteration.repeat.most;
  tokens_left_.resize(slots);
  for (std::size_t i = 0; i < slots; ++i) {
    const Slot& slot = iteration.slots[i];
    tokens_left_[i] = slot.yields ? std::max<std::int64_t>(1, output_tokens(slot) - slot.generated)
                                  : std::numeric_limits<std::int64_t>::max();
    most = std::min(most, tokens_left_[i]);
  }
  run(iteration, most, now, events.next_time(Events::kKinds));
  const auto times = static_cast<std::int64_t>(ends_.size());
  outcomes_.resize(slots);
  for (std::size_t i = 0; i < slots; ++i) {
    const Slot& slot = iteration.slots[i];
    outcomes_[i].finished = tokens_left_[i] <= times;
    // The first tokens all come from the prompt; after that beams take over from one another.
    const bool survives = slot.beam && slot.yields && slot.generated > 0;
    outcomes_[i].parent =
        survives ? beams_.parent(slot.request, slot.generated, slot.sequence, slot.width) : -1;
  }
  events.post(ends_.back(), index(iteration.id), IterationEnd{iteration.id, outcomes_, ends_});
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
