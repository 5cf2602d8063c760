#include "sim/server/scheduler.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <variant>

#include "sim/kernel/invariant.hpp"
#include "sim/server/admission.hpp"

namespace tokenyard {

Scheduler::Scheduler(const ServerSettings& settings, const ServerPorts& ports, int depth,
                     const ReplicaPlace& place)
    : state_(settings, ports, place.reads_tables),
      swapper_(state_, place.first_number),
      former_(state_, swapper_),
      macro_steps_(state_, former_, swapper_),
      in_flight_(static_cast<std::size_t>(depth)),
      place_(place),
      next_iteration_(place.first_number) {
  invariant(depth >= 1, "I3 a batch keeps its limits", "an executor that holds {} iterations",
            depth);
  for (InFlight& free : in_flight_) idle_.push_back(&free);
}

const Iteration& Scheduler::pass(Time now, std::span<const Event> due) {
  begin_pass(now);
  take(due);
  return decide(due);
}

void Scheduler::begin_pass(Time now) {
  invariant(now >= last_pass_, "I1 time stays in range", "time ran back");
  last_pass_ = now;
  ++state_.pass;
  state_.context.advance_to(now);
  ended_.clear();
  cancelled_before_arrival_.clear();
}

void Scheduler::take(std::span<const Event> due) {
  for (const Event& event : due) {
    if (const auto* end = std::get_if<IterationEnd>(&event.payload)) complete(*end, event.at);
    if (const auto* free = std::get_if<StageFree>(&event.payload)) complete(*free);
  }
  for (const Event& event : due) {
    if (const auto* end = std::get_if<CopyEnd>(&event.payload)) complete(*end, event.at);
  }
  for (const Event& event : due) {
    const auto* cancellation = std::get_if<Cancellation>(&event.payload);
    if (cancellation == nullptr) continue;
    if (LiveRequest* live = state_.live.find(cancellation->request)) {
      cancel(*live, state_.context.now());
    } else {
      cancelled_before_arrival_.push_back(cancellation->request);
    }
  }
  if (place_.hands_over) hand_over_departing();
}

const Iteration& Scheduler::decide(std::span<const Event> due) {
  const Time now = state_.context.now();
  state_.ports.policy.refresh(state_.context, state_.ranking);
  for (const Event& event : due) {
    const auto* arrival = std::get_if<Arrival>(&event.payload);
    if (arrival == nullptr) continue;
    if (arrival->handoff == nullptr) {
      arrive(arrival->request, now);
    } else {
      accept(*arrival->handoff);
    }
  }
  for (const RequestId id : cancelled_before_arrival_) {
    if (LiveRequest* live = state_.live.find(id)) cancel(*live, now);
  }
  return decide_at(now);
}

/// Each of `sequences` sequences has produced its next token.
inline void Scheduler::produce_token(LiveRequest& live, std::size_t sequences, Time at) {
  iterations_without_token_ = 0;
  ++live.view.generated;
  live.facts.sequence_tokens += static_cast<std::int64_t>(sequences);
  state_.tokens_produced += static_cast<std::int64_t>(sequences);
  invariant(live.view.generated <= live.view.max_tokens, "I8 tokens produced are tokens asked",
            "request {} produced {} tokens of at most {}", index(live.view.id), live.view.generated,
            live.view.max_tokens);
  if (live.facts.first_token == kNever) {
    live.facts.first_token = at;
    if (live.phase == Phase::prefill) enter_phase(state_, live, Phase::decode, at);
  } else {
    state_.gaps.count(at, at - live.last_token, static_cast<std::int64_t>(sequences));
  }
  live.last_token = at;
}

/// Whether this is one more token of one sequence that goes on: what most do at most times.
inline bool Scheduler::decoded_on(const LiveRequest& live, const Slot& slot,
                                  const SlotOutcome& outcome) {
  return slot.width == 1 && !slot.prefill && slot.yields && !outcome.finished &&
         !live.cancel_requested;
}

/// Books it, as the longer form does.
inline void Scheduler::progress(LiveRequest& live, const SlotOutcome& outcome, Duration ran,
                                Time at) {
  RequestView& view = live.view;
  ++view.computed;
  live.computed_peak = std::max(live.computed_peak, view.computed);
  view.served += ran;
  view.last_ran = at;
  view.last_iteration = state_.context.iterations();
  state_.memory.note_filled(live, outcome.block_hash);
  state_.memory.decoded_one(live);
  produce_token(live, 1, at);
  state_.ports.policy.on_progress(view, ran + std::exchange(live.untold, Duration{0}),
                                  state_.context, state_.ranking);
}

/// Books what an iteration did for the cohort: once for all, but for those about whom the outcome
/// or the policy wants more.
void Scheduler::progress_of_cohort(InFlight& batch, const IterationEnd& end, Duration ran,
                                   Time at) {
  Cohort& cohort = state_.cohort;
  const std::size_t members = cohort.size();
  find_told(batch, end, ran);
  const auto others = static_cast<std::int64_t>(members - told_.size());
  if (others > 0) {
    iterations_without_token_ = 0;
    state_.tokens_produced += others;
    state_.memory.note_computed(others);
    state_.gaps.count(at, at - cohort.last_token(), others);
  }
  cohort.produce(1, at);
  cohort.serve(ran, state_.context.iterations());
  for (const std::size_t i : told_) {
    LiveRequest& live = *batch.members[i];
    if (!end.outcomes[i].finished) {
      progress(live, end.outcomes[i], ran, at);
    } else {
      progress(live, std::span(batch.iteration.slots).subspan(i, 1), end.outcomes.subspan(i, 1),
               ran, at);
      batch.members[i] = nullptr;
    }
  }
}

/// Detaches those members of the cohort.
void Scheduler::find_told(InFlight& batch, const IterationEnd& end, Duration ran) {
  Cohort& cohort = state_.cohort;
  const std::size_t first = batch.cohort_at;
  if (cohort.least_heed() > ran && (end.all_go_on || !end.told.empty())) {
    for (const std::size_t slot : end.told) {
      if (slot >= first && slot - first < cohort.size()) told_.push_back(slot);
    }
  } else {
    for (std::size_t i = 0; i < cohort.size(); ++i) {
      const bool goes_on = end.all_go_on || end.outcomes[first + i] == SlotOutcome();
      if (!goes_on || cohort.heeds(i, ran)) told_.push_back(first + i);
    }
    if (told_.empty()) cohort.find_least_heed();
  }
  for (const std::size_t slot : told_) cohort.detach(*batch.members[slot]);
}

void Scheduler::complete(const IterationEnd& end, Time at) {
  const auto place = std::find_if(in_flight_.begin(), in_flight_.end(), [&](const InFlight& p) {
    return p.launched && p.iteration.id == end.iteration;
  });
  invariant(place != in_flight_.end(), "I6 an iteration ends once",
            "iteration {} ended and is not in flight", index(end.iteration));
  Iteration& iteration = place->iteration;
  invariant(end.outcomes.size() == iteration.slots.size(), "I6 an iteration ends once",
            "iteration {} has {} slots and {} outcomes", index(end.iteration),
            iteration.slots.size(), end.outcomes.size());
  invariant(at >= iteration.begun, "I1 time stays in range", "iteration {} ended before it began",
            index(end.iteration));
  if (end.ends.size() > 1) macro_steps_.book_all_but_last(*place, end.ends, next_iteration_);
  const Duration ran = at - iteration.begun;
  bool unfinished = false;
  const Limits& limits = state_.settings.limits;
  const std::span<const Slot> slots = iteration.slots;
  const bool keeps = in_flight_.size() == 1 && !limits.static_batching;
  place->launched = false;
  told_.clear();
  const std::size_t cohort = state_.cohort.size();
  for (std::size_t i = 0, count = 0; i < slots.size(); i += count) {
    if (cohort > 0 && i == place->cohort_at) {
      progress_of_cohort(*place, end, ran, at);
      count = cohort;
      unfinished = true;
      continue;
    }
    LiveRequest& live = *place->members[i];
    count = 1;
    if (decoded_on(live, slots[i], end.outcomes[i]) && !place_.hands_over) {
      live.in_flight = limits.static_batching;
      progress(live, end.outcomes[i], ran, at);
      if (!keeps) state_.returned.push_back(&live);
      unfinished = true;
      continue;
    }
    while (i + count < slots.size() && place->members[i + count] == &live) ++count;
    // A static batch stays together until it is over.
    live.in_flight = limits.static_batching;
    if (slots[i].padding) continue;
    const bool goes_on =
        progress(live, slots.subspan(i, count), end.outcomes.subspan(i, count), ran, at);
    const bool departs = goes_on && place_.hands_over && slots[i].yields;
    if (departs) departing_.push_back(live.view.id);
    if (goes_on && !departs) {
      if (!keeps) state_.returned.push_back(&live);
      unfinished = true;
    } else if (!limits.static_batching) {
      std::fill_n(place->members.begin() + static_cast<std::ptrdiff_t>(i), count, nullptr);
    }
  }
  state_.gaps.flush();
  // Policies that take turns can undo each other's chunks for ever when memory is short.
  constexpr std::int64_t kMostIterations = 10'000'000;
  if (++iterations_without_token_ > kMostIterations) {
    break_invariant("I10 a run goes on while there is work",
                    fmt::format("{} iterations gave no token; {}", kMostIterations, explain()));
  }
  state_.ports.observer.completed(at, iteration);
  if (!limits.static_batching) {
    if (keeps) {
      former_.keep(*place, told_);
    } else {
      place->members.clear();
    }
    idle_.push_back(&*place);
  } else if (unfinished) {
    static_batches_.push_back(&*place);
  } else {
    finish_static_batch(*place, at);
  }
}

void Scheduler::complete(const StageFree& free) {
  invariant(first_stage_busy_ && index(free.iteration) + 1 == next_iteration_,
            "I6 an iteration ends once", "iteration {} is not in the first stage",
            index(free.iteration));
  first_stage_busy_ = false;
}

void Scheduler::complete(const CopyEnd& end, Time at) {
  if (place_.hands_over && swapper_.finish_handing_over(end.copy)) return;
  LiveRequest* live = swapper_.finish(end);
  if (live->phase == Phase::swap) {
    enter_phase(state_, *live, Phase::preempted, std::max(at, live->phase_since));
  }
  if (live->cancel_requested) {
    leave(*live, End::cancelled, state_.context.now());
  } else if (end.failed) {
    state_.ports.policy.on_evict(live->view, Eviction::recompute, state_.context, state_.ranking);
  }
}

/// Books what an iteration did for one request, whose sequences have one slot each. Returns whether
/// the request goes on.
bool Scheduler::progress(LiveRequest& live, std::span<const Slot> slots,
                         std::span<const SlotOutcome> outcomes, Duration ran, Time at) {
  RequestView& view = live.view;
  for (const Slot& slot : slots) {
    if (slot.computed >= live.computed_peak) continue;
    live.facts.recomputed_tokens += std::min(slot.new_tokens, live.computed_peak - slot.computed);
  }
  view.computed += slots[0].new_tokens;
  live.computed_peak = std::max(live.computed_peak, view.computed);
  view.served += ran;
  view.last_ran = at;
  view.last_iteration = state_.context.iterations();
  if (slots.size() == 1) state_.memory.note_filled(live, outcomes[0].block_hash);
  state_.memory.computed(live);
  std::size_t finished = 0;
  for (const SlotOutcome& outcome : outcomes) finished += outcome.finished ? 1 : 0;
  if (slots[0].yields) {
    produce_token(live, slots.size(), at);
    if (slots[0].beam) state_.memory.follow_parents(live, outcomes);
  }
  invariant(finished == 0 || slots[0].yields, "I8 tokens produced are tokens asked",
            "request {} finished without a token", index(view.id));
  if (finished < slots.size() && !live.cancel_requested) {
    if (finished > 0) state_.memory.end_finished(live, outcomes);
    state_.ports.policy.on_progress(view, ran + std::exchange(live.untold, Duration{0}),
                                    state_.context, state_.ranking);
    return true;
  }
  if (state_.settings.limits.static_batching) {
    live.done = true;
  } else {
    leave(live, live.cancel_requested ? End::cancelled : End::finished, at);
  }
  return false;
}

void Scheduler::finish_static_batch(InFlight& batch, Time at) {
  const auto last = std::unique(batch.members.begin(), batch.members.end());
  batch.members.erase(last, batch.members.end());  // one a slot so far
  for (LiveRequest* live : batch.members) {
    live->in_flight = false;
    leave(*live, live->cancel_requested ? End::cancelled : End::finished, at);
  }
  batch.members.clear();
  idle_.push_back(&batch);
}

void Scheduler::cancel(LiveRequest& live, Time now) {
  // What runs is cancelled when its iteration ends (in a static batch: when the batch ends), what
  // moves when its copy ends.
  if (in_flight_.size() == 1 && !idle_.empty()) former_.keep_none(in_flight_.front());
  live.cancel_requested = true;
  if (!live.in_flight && !live.moving()) leave(live, End::cancelled, now);
}

void Scheduler::arrive(const Request& request, Time now) {
  LiveRequest& live = state_.live.insert(request);
  live.facts.replica = place_.replica;
  live_tokens_ += request.prompt_tokens;
  Admission admission = admit(request, state_.settings, state_.ports.oracle);
  const std::int64_t most = state_.settings.limits.max_waiting;
  if (admission.admitted && most > 0 && waiting_ >= most) {
    admission.admitted = false;
    admission.reason = "the queue is full";
  }
  if (!admission.admitted) {
    live.facts.reason = admission.reason;
    leave(live, End::rejected, now);
    return;
  }
  ++waiting_;
  swapper_.note_arrival(request);
  live.view.max_tokens = admission.max_tokens;
  live.view.last_iteration = state_.context.iterations();
  live.reserve_tokens = admission.reserve_tokens;
  state_.ports.observer.entered(request.id, Phase::queue, request.arrival);
  state_.ports.policy.on_arrive(live.view, state_.context, state_.ranking);
}

void Scheduler::leave(LiveRequest& live, End end, Time at) {
  live.facts.end = end;
  live.facts.ended = at;
  live.facts.output_tokens = live.view.generated;
  live.facts.phases[static_cast<std::size_t>(live.phase)] += at - live.phase_since;
  const Duration in_system =
      std::accumulate(std::begin(live.facts.phases), std::end(live.facts.phases), Duration{0});
  invariant(in_system == at - live.view.arrived, "I7 the phases make up the time in the system",
            "request {}: {} ns of {} ns", index(live.view.id), in_system.count(),
            (at - live.view.arrived).count());
  if (end != End::rejected) {
    if (live.facts.first_scheduled == kNever) --waiting_;
    state_.ports.policy.on_end(live.view,
                               end == End::finished ? Departure::finished : Departure::cancelled,
                               state_.context);
  }
  live.facts.request.prompt_hashes = {};  // they are not promised beyond this call
  state_.ports.observer.ended(live.facts);
  ended_.push_back(live.view.id);
  remove(live);
}

void Scheduler::remove(LiveRequest& live) {
  live_tokens_ -= live.view.prompt_tokens + live.facts.sequence_tokens;
  state_.memory.release(live);
  swapper_.forget(live);
  state_.ranking.erase(live);
  std::erase(state_.returned, &live);
  state_.live.erase(live);
}

const Iteration& Scheduler::decide_at(Time now) {
  InFlight* next = form(now);
  if (state_.settings.kv.proactive_swap) swapper_.look_ahead();
  Iteration& decision = next == nullptr ? copies_alone_ : next->iteration;
  decision.copies = swapper_.take_begun();
  for (const KvCopy& copy : decision.copies) {
    const auto blocks = static_cast<std::int64_t>(copy.host_blocks.size());
    if (copy.direction == CopyDirection::to_host) blocks_out_ += blocks;
    if (copy.direction == CopyDirection::to_device) blocks_in_ += blocks;
  }
  if (next != nullptr) launch(*next, now);
  // Who returned while nothing could begin may still be taken as soon as something can.
  if (next != nullptr || can_decide_more()) set_back_those_left_out(now);
  return decision;
}

InFlight* Scheduler::form(Time now) {
  if (first_stage_busy_) return nullptr;
  if (!static_batches_.empty()) {
    InFlight& batch = *static_batches_.back();
    static_batches_.pop_back();
    const bool goes_on = former_.continue_static(batch);
    tell_evictions();
    if (goes_on) return &batch;
    // Only members that wait for the batch's end are left (the others lost their blocks): it is
    // over.
    finish_static_batch(batch, now);
  }
  if (idle_.empty()) return nullptr;
  InFlight& next = *idle_.back();
  former_.form(next);
  tell_evictions();
  if (next.members.empty()) return nullptr;
  idle_.pop_back();
  return &next;
}

void Scheduler::launch(InFlight& next, Time now) {
  const Limits& limits = state_.settings.limits;
  const IterationLoad& load = next.iteration.load;
  invariant(static_cast<std::int64_t>(next.members.size()) <= limits.max_num_seqs &&
                (limits.static_batching || former_.holds_oversized_prefill() ||
                 load.prefill_tokens + load.decode_sequences <= limits.max_num_batched_tokens),
            "I3 a batch keeps its limits", "{} sequences, {} prompt tokens", next.members.size(),
            load.prefill_tokens);
  next.iteration.id = IterationId{next_iteration_++};
  next.iteration.begun = now;
  next.launched = true;
  first_stage_busy_ = in_flight_.size() > 1;
  state_.context.count_iterations(1);
  next.iteration.load.copied_blocks = static_cast<std::int64_t>(next.iteration.block_copies.size());
  // Those who were kept decode as before.
  const std::size_t cohort = state_.cohort.size();
  next.iteration.kept_from = next.cohort_at;
  next.iteration.kept = cohort;
  auto requests = static_cast<std::int64_t>(cohort);
  const LiveRequest* previous = nullptr;
  for (std::size_t i = 0; i < next.members.size(); ++i) {
    if (cohort > 0 && i == next.cohort_at) {
      i += cohort - 1;
      continue;
    }
    LiveRequest* const live = next.members[i];
    if (std::exchange(previous, live) == live) continue;  // a further sequence
    ++requests;
    if (live->facts.first_scheduled == kNever) {
      live->facts.first_scheduled = now;
      --waiting_;
    }
    if (live->done) continue;
    const bool repeats_work = live->view.computed < live->computed_peak;
    const bool has_token = live->facts.first_token != kNever;
    const Phase phase =
        repeats_work ? Phase::preempted : (has_token ? Phase::decode : Phase::prefill);
    if (live->phase != phase) enter_phase(state_, *live, phase, now);
  }
  // Who is to be handed over goes with its next token.
  const bool hands_over_next = place_.hands_over && load.decode_sequences > 0;
  const bool may_repeat = in_flight_.size() == 1 && !hands_over_next;
  next.iteration.repeat = may_repeat ? macro_steps_.allow(next) : Repeat();
  IterationFacts facts =
      memory_facts(state_, static_cast<std::int64_t>(state_.live.size()) - requests);
  facts.blocks_out = std::exchange(blocks_out_, 0);
  facts.blocks_in = std::exchange(blocks_in_, 0);
  state_.ports.observer.decided(now, next.iteration, facts);
}

void Scheduler::set_back_those_left_out(Time now) {
  std::vector<LiveRequest*>& left_out = state_.returned;
  std::erase_if(left_out, [](const LiveRequest* live) { return live->in_flight; });
  std::sort(left_out.begin(), left_out.end(),
            [](const auto* a, const auto* b) { return a->view.id < b->view.id; });
  for (LiveRequest* live : left_out) {
    ++live->facts.preemptions;
    enter_phase(state_, *live, Phase::preempted, now);
  }
  left_out.clear();
}

void Scheduler::tell_evictions() {
  for (const auto& [live, how] : former_.evicted()) {
    state_.ports.policy.on_evict(live->view, how, state_.context, state_.ranking);
  }
}

}  // namespace tokenyard
