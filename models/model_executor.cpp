#include "models/model_executor.hpp"

#include <algorithm>
#include <limits>

namespace tokenyard {

/// What the oracle says of the output, asked once where it can be remembered.
inline std::int64_t ModelExecutor::tokens_left(const Slot& slot) {
  if (slot.place < known_.size() && slot.width == 1) {
    const KnownOutput& known = known_[slot.place];
    if (known.request == slot.request) return known.tokens - slot.generated;
  }
  return ask(slot);
}

std::int64_t ModelExecutor::ask(const Slot& slot) {
  const std::int64_t tokens = oracle_.output_tokens(slot.request, slot.sequence);
  if (slot.place >= known_.size()) known_.resize(slot.place + 1);
  if (slot.width == 1) known_[slot.place] = {slot.request, tokens};
  return tokens - slot.generated;
}

/// Of the slots that yield.
std::int64_t ModelExecutor::least_tokens_left(std::span<const Slot> slots) {
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  for (const Slot& slot : slots) {
    if (slot.yields) least = std::min(least, tokens_left(slot));
  }
  return least;
}

void ModelExecutor::begin(const Iteration& iteration, Time now, Events& events) {
  for (const KvCopy& copy : iteration.copies) {
    Time& free_at = channel_free_at_[static_cast<std::size_t>(copy.direction)];
    const auto blocks = static_cast<std::int64_t>(copy.host_blocks.size());
    free_at = std::max(now, free_at) + cost_.copy(blocks);
    events.post(free_at, index(copy.id), CopyEnd{copy.id});
  }
  if (iteration.slots.empty()) return;
  const std::int64_t least_left = std::max<std::int64_t>(1, least_tokens_left(iteration.slots));
  const bool beams = std::ranges::any_of(iteration.slots, &Slot::beam);
  run(iteration, std::min(iteration.repeat.most, least_left), now,
      events.next_time(Events::kKinds));
  const auto times = static_cast<std::int64_t>(ends_.size());
  const std::size_t slots = iteration.slots.size();
  const bool any_ends = times >= least_left || beams;
  std::vector<SlotOutcome>& outcomes = any_ends ? outcomes_ : none_end_;
  if (outcomes.size() < slots) outcomes.resize(slots);
  for (std::size_t i = 0; any_ends && i < slots; ++i) {
    const Slot& slot = iteration.slots[i];
    outcomes[i] = SlotOutcome();
    if (!slot.yields) continue;
    outcomes[i].finished = tokens_left(slot) <= times;
    // The first tokens all come from the prompt; after that beams take over from one another.
    if (slot.beam && slot.generated > 0) {
      outcomes[i].parent = beams_.parent(slot.request, slot.generated, slot.sequence, slot.width);
    }
  }
  events.post(ends_.back(), index(iteration.id),
              IterationEnd{iteration.id, std::span(outcomes).first(slots), ends_, !any_ends});
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
