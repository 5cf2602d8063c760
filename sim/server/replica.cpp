#include "sim/server/replica.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "sim/kernel/invariant.hpp"

namespace tokenyard {

namespace {

constexpr std::size_t kIterationEndKind = Events::kind_of<IterationEnd>();
constexpr std::size_t kCopyEndKind = Events::kind_of<CopyEnd>();

std::int64_t tokens_of(const Arrival& arrival) {
  const std::int64_t produced =
      arrival.handoff == nullptr ? 0 : arrival.handoff->facts.sequence_tokens;
  return arrival.request.prompt_tokens + produced;
}

/// How many of the iterations, the last aside, end before `at` (or then, where that has `passed`).
std::size_t ends_before(const IterationEnd& end, Time at, bool passed) {
  const std::span<const Time> ends = end.ends.first(end.ends.size() - 1);
  const auto first = passed ? std::upper_bound(ends.begin(), ends.end(), at)
                            : std::lower_bound(ends.begin(), ends.end(), at);
  return static_cast<std::size_t>(first - ends.begin());
}

}  // namespace

Replica::~Replica() {
  if (parts_.executor) parts_.executor->stop();
}

void Replica::start(ReplicaParts parts, Time now) {
  parts_ = std::move(parts);
  next_number_ = std::max(next_number_, first_number(id_));
  scheduler_.emplace(settings_,
                     ServerPorts{*parts_.policy, ports_.advising_cost, ports_.predictor,
                                 ports_.oracle, ports_.observer},
                     parts_.executor->depth(),
                     ReplicaPlace{id_, next_number_, hands_over_, parts_.executor->reads_tables()});
  asked_at_ = now;
  find_next();
}

Wreck Replica::fail(Time now) {
  Wreck wreck;
  if (!has_taken_) scheduler_->begin_pass(now);
  wreck.live = scheduler_->abandon(now);
  wreck.ended = scheduler_->ended();
  events_.take_due(kNever, late_);
  for (std::vector<Event>* events : {&due_, &late_}) {
    for (Event& event : *events) {
      const bool waits = std::holds_alternative<Arrival>(event.payload) ||
                         std::holds_alternative<Cancellation>(event.payload);
      if (waits) wreck.untaken.push_back(std::move(event));
    }
    events->clear();
  }
  next_number_ = scheduler_->next_number();
  scheduler_.reset();
  parts_.executor->stop();
  parts_ = {};
  without_pulls_.clear();
  has_taken_ = false;
  repeats_ = false;
  outstanding = 0;
  posted_tokens_ = 0;
  next_ = kNever;
  return wreck;
}

/// Calls `change(event, end)` for the end of the macro-step in flight, if there is one.
template <typename Change>
void Replica::change_macro_step(Change change) {
  if (!repeats_) return;
  std::optional<Event> event = events_.withdraw(kIterationEndKind, index(running_));
  if (!event) return;  // it was taken
  auto& end = std::get<IterationEnd>(event->payload);
  if (end.ends.size() > 1) change(*event, end);
  events_.post(event->at, event->key, std::move(event->payload));
}

/// Lets the macro-step end with the first `count` of its iterations, in which nobody ends.
void Replica::shorten(Event& event, IterationEnd& end, std::size_t count) {
  const std::size_t slots = end.outcomes.size();
  if (go_on_.size() < slots) go_on_.resize(slots);
  end.ends = end.ends.first(count);
  end.outcomes = std::span(go_on_).first(slots);
  end.all_go_on = true;
  end.told = {};
  event.at = end.ends.back();
}

bool Replica::come_to(Time now, bool passed) {
  bool is_boundary = false;
  change_macro_step([&](Event& event, IterationEnd& end) {
    const std::size_t ended = ends_before(end, now, passed);
    is_boundary = !passed && ended + 1 < end.ends.size() && end.ends[ended] == now;
    if (is_boundary) {
      shorten(event, end, ended + 1);
    } else if (ended > 0) {
      running_ = scheduler_->book_all_but_last(end.ends.first(ended + 1));
      end.iteration = running_;
      end.ends = end.ends.subspan(ended);
      event.key = index(running_);
    }
  });
  return is_boundary;
}

void Replica::post(Time at, std::uint64_t key, Events::Payload payload, bool passed) {
  change_macro_step([&](Event& event, IterationEnd& end) {
    const std::size_t ended = ends_before(end, at, passed);
    if (ended + 1 < end.ends.size()) shorten(event, end, ended + 1);
  });
  if (const auto* arrival = std::get_if<Arrival>(&payload)) posted_tokens_ += tokens_of(*arrival);
  events_.post(at, key, std::move(payload));
  find_next();
}

void Replica::withdraw(CopyId copy) {
  events_.withdraw(kCopyEndKind, index(copy));
}

void Replica::take(Time now) {
  has_taken_ = true;
  events_.take_due(now, due_);
  ports_.observer.fed(now, due_);
  scheduler_->begin_pass(now);
  scheduler_->take(due_);
  if (without_pulls_.empty()) return;
  for (const Event& event : due_) {
    const auto* end = std::get_if<IterationEnd>(&event.payload);
    if (end != nullptr) without_pulls_.erase(end->iteration);
  }
}

const Iteration& Replica::decide(Time now) {
  if (!has_taken_) {
    due_.clear();
    scheduler_->begin_pass(now);
  }
  has_taken_ = true;
  events_.take_due(now, late_);
  if (!late_.empty()) {
    ports_.observer.fed(now, late_);
    scheduler_->take(late_);
    due_.insert(due_.end(), late_.begin(), late_.end());
  }
  for (const Event& event : due_) {
    if (const auto* arrival = std::get_if<Arrival>(&event.payload)) {
      posted_tokens_ -= tokens_of(*arrival);
    }
  }
  return scheduler_->decide(due_);
}

const Iteration& Replica::decide_more(Time now) {
  return scheduler_->pass(now, {});
}

void Replica::begin(const Iteration& iteration, Time now) {
  running_ = iteration.id;
  repeats_ = iteration.repeat.most > 1;
  const auto comes_from_outside = [](const KvCopy& copy) {
    return copy.direction == CopyDirection::from_replica;
  };
  if (std::ranges::none_of(iteration.copies, comes_from_outside)) {
    parts_.executor->begin(iteration, now, events_);
    return;
  }
  Iteration own = iteration;
  std::erase_if(own.copies, comes_from_outside);
  if (own.empty()) return;
  const bool has_end = !own.slots.empty();
  Iteration& kept = without_pulls_[own.id] = std::move(own);
  parts_.executor->begin(kept, now, events_);
  if (!has_end) without_pulls_.erase(kept.id);
}

void Replica::end_passes(Time now) {
  due_.clear();
  has_taken_ = false;
  asked_at_ = now;
  find_next();
}

void Replica::find_next() {
  const Time wake = scheduler_->wake_at();  // what lies behind, or was now, has been granted
  const Time asks = wake > asked_at_ ? wake : kNever;
  next_ = std::min(events_.next_time(scheduler_->kinds_awaited()), asks);
}

}  // namespace tokenyard
