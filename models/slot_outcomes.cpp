#include "models/slot_outcomes.hpp"

#include <algorithm>
#include <limits>

namespace tokenyard {

std::int64_t SlotOutcomes::ask(const Slot& slot) {
  const std::int64_t tokens = oracle_.output_tokens(slot.request, slot.sequence);
  if (slot.place >= known_.size()) known_.resize(slot.place + 1);
  if (slot.width == 1) known_[slot.place] = {slot.request, tokens};
  return tokens;
}

namespace {

/// How many iterations in a row pass until a prefill among them yields.
std::int64_t iterations_before_first_token(const Iteration& iteration) {
  const std::int64_t chunk = iteration.load.prefill_tokens;
  return (iteration.repeat.prefill_left + chunk - 1) / chunk;
}

}  // namespace

/// Fills `left_`: in how many iterations each slot's sequence will have yielded its last token; of
/// those that do not yield, more than there can be. The oracle is asked once where its answer can
/// be remembered.
std::int64_t SlotOutcomes::tokens_left(const Iteration& iteration) {
  const std::span<const Slot> slots = iteration.slots;
  constexpr std::int64_t kNoEnd = std::numeric_limits<std::int64_t>::max();
  left_.resize(slots.size());
  std::int64_t least = kNoEnd;
  has_beams_ = false;
  std::span<const KnownOutput> known = known_;
  std::int64_t* left = left_.data();
  for (const Slot& slot : slots) {
    std::int64_t tokens = kNoEnd;
    if (slot.yields) {
      // The answers of requests of several sequences are not kept.
      const bool is_known = slot.place < known.size() && known[slot.place].request == slot.request;
      if (is_known) [[likely]] {
        tokens = known[slot.place].tokens - slot.generated;
      } else {
        tokens = ask(slot) - slot.generated;
        has_beams_ = has_beams_ || slot.beam;
        known = known_;
      }
    } else if (slot.prefill && iteration.repeat.prefill_left > 0) {
      tokens = iterations_before_first_token(iteration) + ask(slot) - slot.generated;
      known = known_;
    }
    *left++ = tokens;
    least = std::min(least, tokens);
  }
  return least_ = std::max<std::int64_t>(1, least);
}

/// What becomes of the slots of an iteration that was carried out so many `times`.
void SlotOutcomes::find_outcomes(std::span<const Slot> slots, std::int64_t times) {
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (left_[i] <= times) {
      outcomes_[i].finished = true;
      told_.push_back(i);
    }
  }
  // The first tokens all come from the prompt; after that beams take over from one another.
  for (std::size_t i = 0; has_beams_ && i < slots.size(); ++i) {
    const Slot& slot = slots[i];
    if (!slot.beam || !slot.yields || slot.generated == 0) continue;
    outcomes_[i].parent = beams_.parent(slot.request, slot.generated, slot.sequence, slot.width);
    told_.push_back(i);
  }
  if (!has_beams_) return;
  std::sort(told_.begin(), told_.end());
  told_.erase(std::unique(told_.begin(), told_.end()), told_.end());
}

IterationEnd SlotOutcomes::after(const Iteration& iteration, std::span<const Time> ends) {
  const std::size_t slots = iteration.slots.size();
  for (const std::size_t slot : told_) outcomes_[slot] = SlotOutcome();
  told_.clear();
  if (outcomes_.size() < slots) outcomes_.resize(slots);
  const auto times = static_cast<std::int64_t>(ends.size());
  if (times >= least_ || has_beams_) find_outcomes(iteration.slots, times);
  return {iteration.id, std::span(outcomes_).first(slots), ends, told_.empty(), told_};
}

}  // namespace tokenyard
