#include "sim/server/macro_steps.hpp"

#include <algorithm>
#include <utility>

#include "sim/kernel/invariant.hpp"

namespace tokenyard {

namespace {

/// Bounds the work and the memory of one macro-step; more gains nothing.
constexpr std::int64_t kMostIterations = 1024;

/// Whether mere progress is all that can come of this member's next iterations.
bool is_plain(const LiveRequest& live) {
  return live.sequences.size() == 1 && !live.cancel_requested;
}

}  // namespace

Repeat MacroSteps::allow(const InFlight& next) {
  const Iteration& iteration = next.iteration;
  Repeat repeat;
  if (!state_.settings.macro_steps || iteration.load.prefill_sequences > 0 ||
      !iteration.block_copies.empty() || !iteration.copies.empty() || !former_.evicted().empty()) {
    return repeat;
  }
  // Who was refused may be let in by a watermark that follows the clock; or by a block that was
  // taken after that and has lost its content: a like one may be in use, and would be shared.
  const bool may_change =
      state_.settings.kv.watermark_window > Duration{0} || former_.took_cached();
  if (may_change && !all_run(next)) return repeat;
  const Cohort& cohort = state_.cohort;
  repeat.more_context_tokens = static_cast<std::int64_t>(cohort.size());
  running_.clear();
  const bool all_indifferent = cohort.least_heed() > Duration{0};
  for (std::size_t i = 0; i < next.members.size(); ++i) {
    const LiveRequest* live = next.members[i];
    const std::size_t member = i - next.cohort_at;  // before the cohort: a great number
    if (member < cohort.size()) {
      if (all_indifferent) {
        i += cohort.size() - 1;
      } else if (cohort.heeds(member, Duration{0})) {
        running_.push_back(&live->view);
      }
      continue;
    }
    if (!is_plain(*live)) return {};
    if (live->done) continue;
    running_.push_back(&live->view);
    ++repeat.more_context_tokens;
  }
  const Steady steady =
      state_.ports.policy.steady({running_, former_.batch_leads()}, state_.context);
  const std::int64_t most = std::min(steady.iterations, kMostIterations);
  if (most <= 1) return {};
  repeat.most = with_blocks(next, most);
  repeat.until = steady.until;
  repeat.length = std::min(steady.length, cohort.least_indifference());
  return repeat;
}

bool MacroSteps::all_run(const InFlight& next) const {
  return state_.live.size() == next.members.size();
}

/// Calls `visit(slot, LiveRequest&)` for the members outside the cohort that are not done, in
/// order.
template <typename Visit>
void MacroSteps::for_others(InFlight& in_flight, Visit visit) const {
  for (std::size_t i = 0; i < in_flight.members.size(); ++i) {
    if (i == in_flight.cohort_at) i += state_.cohort.size();
    if (i == in_flight.members.size()) return;
    if (!in_flight.members[i]->done) visit(i, *in_flight.members[i]);
  }
}

/// How many of the next `most` iterations the pool can surely bear.
std::int64_t MacroSteps::with_blocks(const InFlight& next, std::int64_t most) const {
  // Where blocks are promised to others, nobody gets one.
  std::int64_t blocks = former_.blocks_are_promised() ? 0 : state_.blocks.free();
  // Nor may any lose its content, for the same reason.
  if (!all_run(next)) blocks = std::min(blocks, state_.blocks.free() - state_.blocks.cached());
  if (state_.settings.kv.proactive_swap) {
    blocks = std::min(blocks, swapper_.blocks_before_it_acts());
    if (blocks < 0) return 1;
  }
  const auto members = static_cast<std::int64_t>(next.members.size());
  const std::int64_t each = blocks / members - 1;
  if (each >= (most - 1) / state_.blocks.block_size()) return most;
  std::int64_t least = 1;
  while (least < most) {
    const std::int64_t middle = least + (most - least + 1) / 2;
    if (blocks_needed(next, middle) <= blocks) {
      least = middle;
    } else {
      most = middle - 1;
    }
  }
  return least;
}

/// Free blocks that go into the members' tables before the last of so many iterations.
std::int64_t MacroSteps::blocks_needed(const InFlight& next, std::int64_t iterations) const {
  std::int64_t blocks = 0;
  for (LiveRequest* live : next.members) {
    if (live->done) continue;
    state_.cohort.catch_up(*live);
    blocks += state_.memory.missing_blocks(*live, live->view.computed + iterations);
  }
  return blocks;
}

void MacroSteps::find_growth(InFlight& in_flight, std::int64_t iterations) {
  growth_.clear();
  grown_ = 0;
  const std::int64_t block_size = state_.blocks.block_size();
  const auto find = [&](std::size_t member, std::int64_t at) {
    for (; at < iterations; at += block_size) growth_.emplace_back(at, member);
  };
  const Cohort& cohort = state_.cohort;
  const bool any_grows = cohort.least_covered() < iterations;
  for (std::size_t i = 0; any_grows && i < cohort.size(); ++i) {
    find(in_flight.cohort_at + i, cohort.covered(i));
  }
  for_others(in_flight, [&](std::size_t i, const LiveRequest& live) {
    find(i, live.covered_tokens - live.view.computed);
  });
  std::sort(growth_.begin(), growth_.end());
}

/// Gives the blocks that are needed for iteration number `iteration`.
void MacroSteps::grow_until(InFlight& in_flight, std::int64_t iteration) {
  for (; grown_ < growth_.size() && growth_[grown_].first <= iteration; ++grown_) {
    const std::size_t member = growth_[grown_].second;
    LiveRequest& live = *in_flight.members[member];
    state_.memory.append_block(live);
    if (live.in_cohort)
      state_.cohort.grow(member - in_flight.cohort_at, state_.blocks.block_size());
    in_flight.iteration.slots[member].blocks = live.sequences.front().blocks;
  }
}

/// Moves the slots of all who go on by so many iterations.
void MacroSteps::move_slots(Iteration& iteration, std::int64_t iterations) {
  for (Slot& slot : iteration.slots) {
    if (slot.padding) continue;
    slot.computed += iterations;
    slot.generated += iterations;
  }
}

void MacroSteps::book_all_but_last(InFlight& in_flight, std::span<const Time> ends,
                                   std::uint64_t& next_iteration) {
  Iteration& iteration = in_flight.iteration;
  Observer& observer = state_.ports.observer;
  const auto before_last = static_cast<std::int64_t>(ends.size()) - 1;
  invariant(before_last < iteration.repeat.most, "I6 an iteration ends once",
            "iteration {} may run {} times and ended {} times", index(iteration.id),
            iteration.repeat.most, ends.size());
  const bool watched = observer.watches_slots();
  const std::int64_t yielding = iteration.repeat.more_context_tokens;
  find_growth(in_flight, before_last + 1);
  Cohort& cohort = state_.cohort;
  const auto resumed = static_cast<std::int64_t>(cohort.size());
  const auto count_cohort = [&] {
    if (resumed == 0) return;
    state_.gaps.count(ends.front(), ends.front() - cohort.last_token(), resumed);
  };
  bool counted = false;
  for_others(in_flight, [&](std::size_t i, const LiveRequest& live) {
    if (i > in_flight.cohort_at && !std::exchange(counted, true)) count_cohort();
    state_.gaps.count(ends.front(), ends.front() - live.last_token, 1);
  });
  if (!counted) count_cohort();
  const std::int64_t waiting =
      static_cast<std::int64_t>(state_.live.size() - in_flight.members.size());
  for (std::int64_t i = 1; i <= before_last; ++i) {
    const Time at = ends[static_cast<std::size_t>(i) - 1];
    state_.gaps.flush();
    observer.completed(at, iteration);
    state_.memory.note_computed(yielding);
    grow_until(in_flight, i);
    iteration.id = IterationId{next_iteration++};
    iteration.begun = at;
    iteration.load.decode_context_tokens += yielding;
    if (watched) move_slots(iteration, 1);
    observer.decided(at, iteration, memory_facts(state_, waiting));
    if (i < before_last) {
      const Time end = ends[static_cast<std::size_t>(i)];
      state_.gaps.count(end, end - at, yielding);
    }
  }
  state_.context.count_iterations(static_cast<std::uint64_t>(before_last));
  if (grown_ > 0) cohort.find_covered();
  if (!watched) move_slots(iteration, before_last);
  const Time last_token = ends[static_cast<std::size_t>(before_last) - 1];
  if (resumed > 0) cohort.produce(before_last, last_token);
  for_others(in_flight, [&](std::size_t, LiveRequest& live) {
    live.view.computed += before_last;
    live.view.generated += before_last;
    live.stored_tokens += before_last;
    live.facts.sequence_tokens += before_last;
    live.last_token = last_token;
  });
}

}  // namespace tokenyard
