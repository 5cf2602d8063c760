#include "models/slot_outcomes.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <utility>

namespace tokenyard {

namespace {

constexpr std::int64_t kNoEnd = std::numeric_limits<std::int64_t>::max();

/// How many iterations in a row pass until a prefill among them yields.
std::int64_t iterations_before_first_token(const Iteration& iteration) {
  const std::int64_t chunk = iteration.load.prefill_tokens;
  return (iteration.repeat.prefill_left + chunk - 1) / chunk;
}

}  // namespace

/// The oracle is asked once where its answer can be remembered.
std::int64_t SlotOutcomes::ask(const Slot& slot) {
  if (slot.width > 1) return oracle_.output_tokens(slot.request, slot.sequence);
  if (slot.place >= known_.size()) known_.resize(slot.place + 1);
  KnownOutput& known = known_[slot.place];
  if (known.request != slot.request) {
    known = {slot.request, oracle_.output_tokens(slot.request, slot.sequence), -1};
  }
  return known.tokens;
}

/// In how many iterations the slot's sequence will have yielded its last token; `kNoEnd` where it
/// does not yield.
std::int64_t SlotOutcomes::left_for(const Iteration& iteration, const Slot& slot) {
  if (slot.yields) return ask(slot) - slot.generated;
  if (!slot.prefill || iteration.repeat.prefill_left == 0) return kNoEnd;
  return iterations_before_first_token(iteration) + ask(slot) - slot.generated;
}

/// Those that are kept were noted when they came, so that only the others are looked at. What has
/// left the batch meanwhile may be the next to end for all that is known here; then too few are
/// permitted, which changes no result.
std::int64_t SlotOutcomes::tokens_left(const Iteration& iteration) {
  const std::span<const Slot> slots = iteration.slots;
  const auto number = static_cast<std::int64_t>(index(iteration.id));
  std::int64_t least = kNoEnd;
  has_beams_ = false;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (i == iteration.kept_from) i += iteration.kept;
    if (i >= slots.size()) break;
    const Slot& slot = slots[i];
    const std::int64_t left = left_for(iteration, slot);
    if (left == kNoEnd) continue;
    least = std::min(least, left);
    has_beams_ = has_beams_ || (slot.beam && slot.yields);
    if (slot.width > 1 || !sees_all_) continue;
    const std::int64_t at = number + left;
    if (std::exchange(known_[slot.place].ends_at, at) == at) continue;
    endings_.push_back(at);
    std::push_heap(endings_.begin(), endings_.end(), std::greater<>());
  }
  while (!endings_.empty() && endings_.front() <= number) {
    std::pop_heap(endings_.begin(), endings_.end(), std::greater<>());
    endings_.pop_back();
  }
  if (iteration.kept > 0 && !endings_.empty()) {
    least = std::min(least, endings_.front() - number);
  }
  return least_ = std::max<std::int64_t>(1, least);
}

/// What becomes of the slots of an iteration that was carried out so many `times`.
void SlotOutcomes::find_outcomes(const Iteration& iteration, std::int64_t times) {
  const std::span<const Slot> slots = iteration.slots;
  const std::int64_t next = static_cast<std::int64_t>(index(iteration.id)) + times;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const bool is_kept = i - iteration.kept_from < iteration.kept;
    const bool finished =
        is_kept ? known_[slots[i].place].ends_at <= next : left_for(iteration, slots[i]) <= times;
    if (!finished) continue;
    outcomes_[i].finished = true;
    told_.push_back(i);
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
  if (times >= least_ || has_beams_) find_outcomes(iteration, times);
  return {iteration.id, std::span(outcomes_).first(slots), ends, told_.empty(), told_};
}

}  // namespace tokenyard
