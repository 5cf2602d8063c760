// How requests leave a replica alive, and how they come to another.

#include <utility>

#include "sim/kernel/invariant.hpp"
#include "sim/server/scheduler.hpp"

namespace tokenyard {

namespace {

Handoff pack(const LiveRequest& live) {
  Handoff handoff;
  handoff.facts = live.facts;
  handoff.view = live.view;
  for (const Sequence& sequence : live.sequences) handoff.sequences.push_back(sequence.number);
  handoff.reserve_tokens = live.reserve_tokens;
  handoff.computed_peak = live.computed_peak;
  handoff.times_evicted = live.times_evicted;
  handoff.settled = live.settled;
  handoff.phase = live.phase;
  handoff.phase_since = live.phase_since;
  handoff.last_token = live.last_token;
  return handoff;
}

}  // namespace

void Scheduler::hand_over_departing() {
  for (const RequestId id : std::exchange(departing_, {})) {
    LiveRequest* const live = state_.live.find(id);
    if (live == nullptr) continue;  // its client has given up
    enter_phase(state_, *live, Phase::swap, state_.context.now());
    Handoff& handoff = departed_.emplace_back(pack(*live));
    handoff.kv.from = place_.replica;
    handoff.kv.copy = swapper_.part_with(*live, handoff.kv.tables);
    state_.ports.policy.on_end(live->view, Departure::moved, state_.context);
    remove(*live);
  }
}

std::vector<Handoff> Scheduler::take_departed() {
  return std::exchange(departed_, {});
}

void Scheduler::accept(const Handoff& handoff) {
  LiveRequest& live = state_.live.insert(handoff.facts.request);
  live_tokens_ += handoff.view.prompt_tokens + handoff.facts.sequence_tokens;
  live.facts = handoff.facts;
  live.facts.replica = place_.replica;
  const std::uint32_t slot = live.view.slot;
  live.view = handoff.view;
  live.view.slot = slot;
  live.view.blocks_held = 0;
  live.view.last_iteration = state_.context.iterations();
  const bool has_kv = !handoff.kv.tables.empty();
  if (!has_kv) live.view.computed = 0;
  live.view.kv = has_kv ? KvPlace::remote : KvPlace::none;
  live.is_remote = has_kv;
  live.sequences.resize(handoff.sequences.size());
  for (std::size_t i = 0; i < live.sequences.size(); ++i) {
    live.sequences[i].number = handoff.sequences[i];
    if (has_kv) live.sequences[i].host_blocks = handoff.kv.tables[i];
  }
  live.reserve_tokens = handoff.reserve_tokens;
  live.computed_peak = handoff.computed_peak;
  live.times_evicted = handoff.times_evicted;
  live.settled = handoff.settled;
  live.phase = handoff.phase;
  live.phase_since = handoff.phase_since;
  live.last_token = handoff.last_token;
  if (live.facts.first_scheduled == kNever) ++waiting_;
  state_.ports.policy.on_arrive(live.view, state_.context, state_.ranking);
}

std::vector<Handoff> Scheduler::abandon(Time now) {
  state_.context.advance_to(now);
  for (const InFlight& running : in_flight_) {
    if (running.launched) state_.ports.observer.completed(now, running.iteration);
  }
  std::vector<LiveRequest*> live_ones;
  state_.live.for_each([&](LiveRequest& live) { live_ones.push_back(&live); });
  std::vector<Handoff> handoffs;
  for (LiveRequest* const live : live_ones) {
    if (live->in_cohort) {
      state_.cohort.catch_up(*live);
      // What runs has its blocks.
      state_.memory.fulfil(*live, live->view.computed + (state_.cohort.begun() ? 1 : 0));
    }
    if (live->done || live->cancel_requested) {
      leave(*live, live->cancel_requested ? End::cancelled : End::finished, now);
      continue;
    }
    const auto& returned = state_.returned;
    const bool ran =
        live->in_flight || std::find(returned.begin(), returned.end(), live) != returned.end();
    if (ran) ++live->facts.preemptions;
    if (live->view.kv != KvPlace::none) {
      live->count_eviction(state_.settings.limits.max_preemptions);
    }
    if (live->phase != Phase::queue) enter_phase(state_, *live, Phase::preempted, now);
    handoffs.push_back(pack(*live));
  }
  return handoffs;
}

IterationId Scheduler::book_all_but_last(std::span<const Time> ends) {
  InFlight& running = in_flight_.front();
  invariant(in_flight_.size() == 1 && running.launched, "I6 an iteration ends once",
            "no macro-step is in flight");
  macro_steps_.book_all_but_last(running, ends, next_iteration_);
  return running.iteration.id;
}

bool Scheduler::holds_nothing() const {
  const auto is_whole = [](const BlockManager& blocks) { return blocks.free() == blocks.total(); };
  return drained() && live_tokens() == 0 && is_whole(state_.blocks) && is_whole(state_.host_blocks);
}

std::int64_t Scheduler::known_prefix_tokens(const Request& request) {
  return state_.memory.known_prefix(request.prompt_hashes, request.prompt_tokens);
}

}  // namespace tokenyard
