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
  if (!state_.settings.macro_steps || !iteration.block_copies.empty() ||
      !iteration.copies.empty() || !former_.evicted().empty()) {
    return repeat;
  }
  const bool prefills = iteration.load.prefill_sequences > 0;
  const LiveRequest* const prefill = prefills ? going_on_prefilling(next) : nullptr;
  if (prefills && prefill == nullptr) return repeat;
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
    if (live != prefill) ++repeat.more_context_tokens;
  }
  const Steady steady =
      state_.ports.policy.steady({running_, former_.batch_leads()}, state_.context);
  std::int64_t most = std::min(steady.iterations, kMostIterations);
  if (prefills) most = std::min(most, most_with(*prefill, next, repeat));
  if (most <= 1) return {};
  repeat.most = with_blocks(next, most, prefill);
  repeat.until = steady.until;
  repeat.length = std::min(steady.length, unmoved_for(next));
  return repeat;
}

/// The member that computes a chunk of its prompt and will go on with a further one, if it is the
/// only one that computes more than a token and this is all that can come of it: whoever ranks
/// before it takes as many tokens the next time, so that its chunk is as long again. The policy
/// must not care how far anybody has come, since it thinks of a token an iteration.
const LiveRequest* MacroSteps::going_on_prefilling(const InFlight& next) const {
  const ServerSettings& settings = state_.settings;
  const bool may_go_on = settings.limits.chunk_tokens > 0 && !settings.limits.static_batching &&
                         !settings.kv.prefix_caching && !settings.kv.proactive_swap &&
                         next.iteration.load.prefill_sequences == 1 &&
                         state_.cohort.least_heed() > kLongest;
  if (!may_go_on) return nullptr;
  const LiveRequest* found = nullptr;
  for (std::size_t i = 0; i < next.members.size(); ++i) {
    if (i == next.cohort_at) i += state_.cohort.size();
    if (i == next.members.size()) break;
    const LiveRequest& live = *next.members[i];
    if (state_.ports.policy.indifferent_for(live.view) <= kLongest) return nullptr;
    const Slot& slot = next.iteration.slots[i];
    const bool repeats_work = live.view.computed < live.computed_peak;
    if (slot.prefill && !slot.yields && !repeats_work) found = &live;
  }
  return found;
}

/// How many iterations `prefill` can be part of, and how much is left for it behind the first.
std::int64_t MacroSteps::most_with(const LiveRequest& prefill, const InFlight& next,
                                   Repeat& repeat) const {
  const std::int64_t chunk = next.iteration.load.prefill_tokens;
  repeat.prefill_left = prefill.view.pending_tokens() - chunk;
  // A last chunk that is shorter leaves tokens to others.
  return 1 + (repeat.prefill_left + (all_run(next) ? chunk - 1 : 0)) / chunk;
}

/// How long no member of the cohort to whom the policy is indifferent now changes its place.
Duration MacroSteps::unmoved_for(const InFlight& next) const {
  const Cohort& cohort = state_.cohort;
  Duration length = Duration::max();
  if (cohort.least_heed() > kLongest) return length;  // the policy need never hear of them
  for (std::size_t i = 0; i < cohort.size(); ++i) {
    const Duration indifference = cohort.indifference(i);
    if (indifference <= Duration{0} || indifference >= std::min(length, kLongest)) continue;
    const RequestView& view = next.members[next.cohort_at + i]->view;
    const Duration more = std::min(state_.ports.policy.unmoved_for(view), kLongest);
    length = std::min(length, indifference + more);
  }
  return length;
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
std::int64_t MacroSteps::with_blocks(const InFlight& next, std::int64_t most,
                                     const LiveRequest* prefill) const {
  // Where blocks are promised to others, nobody gets one.
  std::int64_t blocks = former_.blocks_are_promised() ? 0 : state_.blocks.free();
  // Nor may any lose its content, for the same reason.
  if (!all_run(next)) blocks = std::min(blocks, state_.blocks.free() - state_.blocks.cached());
  if (state_.settings.kv.proactive_swap) {
    blocks = std::min(blocks, swapper_.blocks_before_it_acts());
    if (blocks < 0) return 1;
  }
  if (prefill != nullptr) {
    blocks -= state_.memory.missing_blocks(*prefill, prefill->view.known_tokens());
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
  const Cohort& cohort = state_.cohort;
  for (std::size_t i = 0; i < next.members.size(); ++i) {
    const LiveRequest& live = *next.members[i];
    if (live.done) continue;
    const std::size_t member = i - next.cohort_at;  // before the cohort: a great number
    if (member < cohort.size()) {
      const std::int64_t tokens = iterations - cohort.covered(member);
      const auto reserved = static_cast<std::int64_t>(live.reserved.size());
      if (tokens > 0) {
        blocks += std::max<std::int64_t>(0, state_.blocks.blocks_for(tokens) - reserved);
      }
    } else {
      blocks += state_.memory.missing_blocks(live, live.view.computed + iterations);
    }
  }
  return blocks;
}

/// Fills `grown_`: how many blocks go into the members' tables before each of the next iterations.
void MacroSteps::find_growth(InFlight& in_flight, std::int64_t iterations) {
  grown_.assign(static_cast<std::size_t>(iterations) + 1, 0);
  if (state_.cohort.may_hold_reserved()) grow_into_reserved(in_flight, iterations);
  state_.cohort.grow_all(iterations, grown_);
  for_others(in_flight, [&](std::size_t i, const LiveRequest& live) {
    const Slot& slot = in_flight.iteration.slots[i];
    const std::int64_t known = slot.computed + slot.new_tokens + left_.prefill_left;
    std::int64_t blocks = live.view.blocks_held;  // those reserved for it among them
    for (std::int64_t at = 1; at < iterations; ++at) {
      const std::int64_t tokens = slot.computed + (at + 1) * slot.new_tokens;
      const std::int64_t needed =
          state_.blocks.blocks_for(slot.prefill ? std::min(tokens, known) : tokens);
      grown_[static_cast<std::size_t>(at)] += std::max<std::int64_t>(0, needed - blocks);
      blocks = std::max(blocks, needed);
    }
  });
}

/// Lets the members of the cohort first grow into what is reserved for them, which is held already.
void MacroSteps::grow_into_reserved(InFlight& in_flight, std::int64_t iterations) {
  Cohort& cohort = state_.cohort;
  for (std::size_t i = 0; i < cohort.size(); ++i) {
    if (cohort.covered(i) >= iterations) continue;
    LiveRequest& live = *in_flight.members[in_flight.cohort_at + i];
    cohort.catch_up(live);
    state_.memory.fulfil(live, live.view.computed + 1);  // then the others are left
    in_flight.iteration.slots[in_flight.cohort_at + i].blocks = live.sequences.front().blocks;
    for (std::size_t left = live.reserved.size(); left > 0; --left) {
      if (cohort.covered(i) < iterations) cohort.grow(i);
    }
  }
}

/// Gives the members the blocks that were pledged to them for the iteration in flight, for those
/// who look at their tables. Without `all` the cohort's may wait for theirs.
void MacroSteps::give_tables(InFlight& in_flight, bool all) {
  for (std::size_t i = 0; i < in_flight.members.size(); ++i) {
    if (i == in_flight.cohort_at && !all) i += state_.cohort.size();
    if (i == in_flight.members.size()) return;
    LiveRequest& live = *in_flight.members[i];
    Slot& slot = in_flight.iteration.slots[i];
    if (live.done) continue;
    state_.memory.fulfil(live, slot.computed + slot.new_tokens);
    slot.blocks = live.sequences.front().blocks;
  }
}

/// Moves the load, and the slot that prefills, by an iteration.
void MacroSteps::move_load(Iteration& iteration) {
  iteration.load.go_on(left_);
  if (iteration.load.prefill_sequences == 0) return;
  for (Slot& slot : iteration.slots) {
    if (!slot.prefill) continue;
    slot.computed += slot.new_tokens;
    slot.new_tokens = iteration.load.prefill_tokens;
    slot.yields = left_.prefill_left == 0;
  }
}

/// Moves the slots of all who decode on by so many iterations.
void MacroSteps::move_slots(Iteration& iteration, std::int64_t iterations) {
  for (Slot& slot : iteration.slots) {
    if (slot.padding || slot.prefill) continue;
    slot.computed += iterations;
    slot.generated += iterations;
  }
}

/// Counts the gaps of the first iteration, which ended at `at`, in ranking order.
void MacroSteps::count_first_gaps(InFlight& in_flight, Time at) {
  const Cohort& cohort = state_.cohort;
  const auto resumed = static_cast<std::int64_t>(cohort.size());
  bool counted = resumed == 0;
  const auto count_cohort = [&] {
    if (!std::exchange(counted, true)) state_.gaps.count(at, at - cohort.last_token(), resumed);
  };
  for_others(in_flight, [&](std::size_t i, const LiveRequest& live) {
    if (in_flight.iteration.slots[i].prefill) return;
    if (i > in_flight.cohort_at) count_cohort();
    state_.gaps.count(at, at - live.last_token, 1);
  });
  count_cohort();
  state_.gaps.flush();
}

/// When the policy must hear of one of the cohort's members to whom it is indifferent now.
Time MacroSteps::next_telling() const {
  const Cohort& cohort = state_.cohort;
  Duration least = Duration::max();
  if (cohort.least_heed() > kLongest) return kNever;
  for (std::size_t i = 0; i < cohort.size(); ++i) {
    const Duration indifference = cohort.indifference(i);
    if (indifference > Duration{0}) least = std::min(least, indifference);
  }
  return least < kNever - caught_up_ ? caught_up_ + least : kNever;
}

/// Lets the cohort count what has ended until `at`.
void MacroSteps::catch_up_cohort(Time at) {
  const std::int64_t more = ended_ - caught_up_ended_;
  state_.context.count_iterations(static_cast<std::uint64_t>(more));
  if (state_.cohort.size() > 0) {
    state_.cohort.produce(more, at);
    state_.cohort.serve(at - caught_up_, state_.context.iterations());
  }
  caught_up_ended_ = ended_;
  caught_up_ = at;
}

/// Tells the policy of those members of the cohort of whom it must hear at `at`.
void MacroSteps::tell(InFlight& in_flight, Time at) {
  Cohort& cohort = state_.cohort;
  told_.clear();
  for (std::size_t i = 0; i < cohort.size(); ++i) {
    const Duration indifference = cohort.indifference(i);
    if (indifference > Duration{0} && indifference <= at - caught_up_) told_.push_back(i);
  }
  catch_up_cohort(at);
  const Time now = state_.context.now();
  state_.context.advance_to(at);
  const bool any_moved = state_.ranking.any_moved();
  for (const std::size_t i : told_) {
    LiveRequest& live = *in_flight.members[in_flight.cohort_at + i];
    cohort.detach(live);
    state_.ports.policy.on_progress(live.view, std::exchange(live.untold, Duration{0}),
                                    state_.context, state_.ranking);
    const Duration indifferent_for = state_.ports.policy.indifferent_for(live.view);
    cohort.rejoin(i, live, indifferent_for);
    invariant(state_.ranking.any_moved() == any_moved && indifferent_for > Duration{0},
              "I14 a ranking that was to stand stands",
              "request {} moved within a macro-step, which its policy had ruled out",
              index(live.view.id));
  }
  state_.context.advance_to(now);
  cohort.find_least_heed();
  tell_at_ = next_telling();
}

/// Takes the end of an iteration, and the blocks that the next one needs.
inline void MacroSteps::pass_end(InFlight& in_flight, Time at) {
  ++ended_;
  if (at >= tell_at_) tell(in_flight, at);
  const Iteration& ended = in_flight.iteration;
  state_.memory.note_computed(ended.repeat.more_context_tokens + ended.load.prefill_tokens);
  state_.blocks.pledge(grown_[static_cast<std::size_t>(ended_)]);
}

/// Goes on from each of `ends` to the next iteration, and tells the observer at once.
void MacroSteps::step_on(InFlight& in_flight, std::span<const Time> ends) {
  steps_.clear();
  for (const Time end : ends) {
    pass_end(in_flight, end);
    steps_.push_back({end, state_.blocks.held(), state_.memory.tokens_unused()});
  }
  state_.ports.observer.stepped(in_flight.iteration, in_flight.iteration.repeat.more_context_tokens,
                                steps_);
}

/// The same, and shows the observer each iteration.
void MacroSteps::show_steps(InFlight& in_flight, std::span<const Time> ends,
                            std::uint64_t& next_iteration) {
  Iteration& iteration = in_flight.iteration;
  Observer& observer = state_.ports.observer;
  const bool watched = observer.watches_slots();
  const std::int64_t yielding = iteration.repeat.more_context_tokens;
  const auto waiting = static_cast<std::int64_t>(state_.live.size() - in_flight.members.size());
  for (std::size_t i = 0; i < ends.size(); ++i) {
    if (i > 0 && yielding > 0) observer.token_gaps(ends[i], ends[i] - ends[i - 1], yielding);
    pass_end(in_flight, ends[i]);
    observer.completed(ends[i], iteration);
    move_load(iteration);
    iteration.id = IterationId{next_iteration++};
    iteration.begun = ends[i];
    if (watched) {
      move_slots(iteration, 1);
      give_tables(in_flight, true);
    }
    observer.decided(ends[i], iteration, memory_facts(state_, waiting));
  }
}

void MacroSteps::book_all_but_last(InFlight& in_flight, std::span<const Time> ends,
                                   std::uint64_t& next_iteration) {
  Iteration& iteration = in_flight.iteration;
  const Observer& observer = state_.ports.observer;
  left_ = iteration.repeat;
  const bool prefills = left_.prefill_left > 0;
  const auto booked = static_cast<std::int64_t>(ends.size()) - 1;
  invariant(booked < iteration.repeat.most, "I6 an iteration ends once",
            "iteration {} may run {} times and ended {} times", index(iteration.id),
            iteration.repeat.most, ends.size());
  ends = ends.first(ends.size() - 1);
  const Time begun = iteration.begun;
  ended_ = caught_up_ended_ = 0;
  caught_up_ = begun;
  tell_at_ = next_telling();
  find_growth(in_flight, booked + 1);
  count_first_gaps(in_flight, ends.front());
  const bool shown = prefills || !observer.takes_steps_together();
  if (shown) {
    show_steps(in_flight, ends, next_iteration);
  } else {
    step_on(in_flight, ends);
    next_iteration += static_cast<std::uint64_t>(booked);
    iteration.id = IterationId{next_iteration - 1};
    iteration.begun = ends.back();
    iteration.load.decode_context_tokens += booked * iteration.repeat.more_context_tokens;
  }
  if (!shown || !observer.watches_slots()) move_slots(iteration, booked);
  catch_up_cohort(ends.back());
  state_.cohort.begin();
  // Which blocks lose their content is found out at once.
  give_tables(in_flight, state_.settings.kv.prefix_caching);
  for_others(in_flight, [&](std::size_t i, LiveRequest& live) {
    const Slot& slot = iteration.slots[i];
    live.view.served += ends.back() - begun;
    live.untold += ends.back() - begun;
    live.stored_tokens += slot.computed - live.view.computed;
    live.view.computed = slot.computed;
    live.view.last_ran = ends.back();
    live.computed_peak = std::max(live.computed_peak, live.view.computed);
    if (slot.prefill) return;
    live.view.generated += booked;
    live.facts.sequence_tokens += booked;
    live.last_token = ends.back();
  });
  state_.tokens_produced += booked * iteration.repeat.more_context_tokens;
  iteration.repeat.most -= booked;
  iteration.repeat.prefill_left = left_.prefill_left;
}

}  // namespace tokenyard
