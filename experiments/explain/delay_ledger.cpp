#include "experiments/explain/delay_ledger.hpp"

#include <algorithm>
#include <numeric>

#include "sim/kernel/invariant.hpp"

namespace tokenyard {

DelayLedger::DelayLedger(DelayGroups groups)
    : groups_(std::move(groups)),
      columns_(groups_.running_groups + 1),
      delays_(2 * groups_.waiting_groups * columns_),
      ran_(groups_.waiting_groups),
      requests_(groups_.waiting_groups),
      started_(groups_.waiting.size()),
      live_(2 * groups_.waiting_groups),
      inside_(groups_.waiting_groups),
      shares_(groups_.running_groups, -1) {}

WideInteger DelayLedger::waited(std::size_t waiting, Waiting when) const {
  const auto first = delays_.begin() + static_cast<std::ptrdiff_t>(row(waiting, when) * columns_);
  return std::accumulate(first, first + static_cast<std::ptrdiff_t>(columns_), WideInteger{0});
}

void DelayLedger::nothing_ran_until(Time now) {
  if (runs_ || now <= booked_) return;
  const std::int64_t length = (now - booked_).count();
  for (std::size_t i = 0; i < live_.size(); ++i) {
    delays_[i * columns_ + columns_ - 1] += static_cast<WideInteger>(live_[i]) * length;
  }
  booked_ = now;
}

void DelayLedger::decided(Time now, const Iteration& iteration, const IterationFacts&) {
  invariant(!runs_, "I6 an iteration ends once", "one more began before it");
  nothing_ran_until(now);
  runs_ = true;
  begun_ = now;
  batch_.clear();
  std::ranges::fill(inside_, 0);
  std::int64_t tokens = 0;
  const auto& slots = iteration.slots;
  for (std::size_t i = 0; i < slots.size();) {
    const RequestId id = slots[i].request;
    for (; i < slots.size() && slots[i].request == id; ++i) tokens += slots[i].new_tokens;
    batch_.push_back({groups_.running.at(index(id)), tokens});
    const std::uint32_t group = waiting_group(id);
    if (group == DelayGroups::kNone) continue;
    ++inside_[group];
    if (started_[index(id)]) continue;
    started_[index(id)] = true;
    --live_[row(group, Waiting::first_turn)];
    ++live_[row(group, Waiting::later)];
  }
  waiting_ = live_;
  for (std::size_t group = 0; group < inside_.size(); ++group) {
    waiting_[row(group, Waiting::later)] -= inside_[group];
  }
}

/// Fills `shares_` and `touched_`.
void DelayLedger::share_out(Duration part) {
  for (const std::uint32_t group : touched_) shares_[group] = -1;
  touched_.clear();
  const std::int64_t tokens = batch_.back().tokens_until;
  std::int64_t given = 0;
  for (const Share& share : batch_) {
    const auto until = static_cast<std::int64_t>(static_cast<WideInteger>(part.count()) *
                                                 share.tokens_until / tokens);
    if (shares_[share.group] < 0) {
      shares_[share.group] = 0;
      touched_.push_back(share.group);
    }
    shares_[share.group] += until - given;
    given = until;
  }
}

void DelayLedger::completed(Time now, const Iteration& iteration) {
  invariant(runs_ && iteration.begun == begun_, "I6 an iteration ends once",
            "iteration {} ended and was not in flight", index(iteration.id));
  runs_ = false;
  ended_ = booked_ = now;
  const std::int64_t length = (now - begun_).count();
  for (std::size_t group = 0; group < inside_.size(); ++group) {
    ran_[group] += static_cast<WideInteger>(inside_[group]) * length;
  }
  if (std::ranges::all_of(waiting_, [](std::int64_t waiting) { return waiting == 0; })) return;
  share_out(now - begun_);
  for (std::size_t at = 0; at < waiting_.size(); ++at) {
    if (waiting_[at] == 0) continue;
    for (const std::uint32_t by : touched_) {
      delays_[at * columns_ + by] += static_cast<WideInteger>(waiting_[at]) * shares_[by];
    }
  }
}

void DelayLedger::entered(RequestId request, Phase phase, Time now) {
  if (phase != Phase::queue) return;
  const std::uint32_t group = waiting_group(request);
  if (group == DelayGroups::kNone) return;
  invariant(!runs_ && now >= begun_, "explain: arrivals wait for the boundary",
            "request {} came before the last iteration", index(request));
  nothing_ran_until(now);
  const std::size_t at = row(group, Waiting::first_turn);
  ++requests_[group];
  ++live_[at];
  // What was booked for the others before it was told of: a live server looks up some time after an
  // iteration's end, and takes cancellations first.
  delays_[at * columns_ + columns_ - 1] += (booked_ - std::clamp(now, ended_, booked_)).count();
  if (now >= ended_) return;
  share_out(ended_ - now);  // it came while the last iteration ran
  for (const std::uint32_t by : touched_) delays_[at * columns_ + by] += shares_[by];
}

void DelayLedger::ended(const RequestFacts& facts) {
  if (facts.end == End::rejected) return;
  const std::uint32_t group = waiting_group(facts.request.id);
  if (group == DelayGroups::kNone) return;
  nothing_ran_until(facts.ended);
  const bool started = started_[index(facts.request.id)];
  --live_[row(group, started ? Waiting::later : Waiting::first_turn)];
}

}  // namespace tokenyard
