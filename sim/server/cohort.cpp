#include "sim/server/cohort.hpp"

#include <algorithm>

#include "sim/kernel/invariant.hpp"

namespace tokenyard {

namespace {

template <typename Value>
Value least(const std::vector<Value>& column, Value bound) {
  for (const Value each : column) bound = std::min(bound, each);
  return bound;
}

}  // namespace

void Cohort::enter(std::size_t member, LiveRequest& live, Duration indifferent_for) {
  base_[member] = live.view.computed - tokens_;
  base_sum_ += base_[member];
  block_at_[member] = live.covered_tokens - base_[member];
  const Duration most = Duration::max() - served_;
  heed_at_[member] = served_ + std::min(indifferent_for, most);
  limit_at_[member] = tokens_ + live.view.max_tokens - live.view.generated;
  block_from_ = std::min(block_from_, block_at_[member]);
  heed_from_ = std::min(heed_from_, heed_at_[member]);
  limit_from_ = std::min(limit_from_, limit_at_[member]);
  live.in_cohort = true;
  live.in_flight = true;
  live.joined_tokens = tokens_;
  live.joined_served = served_;
}

void Cohort::join(LiveRequest& live, Duration indifferent_for) {
  if (size() == 0) last_token_ = live.last_token;
  block_at_.emplace_back();
  heed_at_.emplace_back();
  limit_at_.emplace_back();
  base_.emplace_back();
  enter(size() - 1, live, indifferent_for);
}

void Cohort::rejoin(std::size_t member, LiveRequest& live, Duration indifferent_for) {
  base_sum_ -= base_[member];
  enter(member, live, indifferent_for);
}

void Cohort::detach(LiveRequest& live) {
  catch_up(live);
  live.in_cohort = false;
  live.in_flight = false;
}

void Cohort::move(std::size_t from, std::size_t to) {
  std::swap(block_at_[from], block_at_[to]);
  std::swap(heed_at_[from], heed_at_[to]);
  std::swap(limit_at_[from], limit_at_[to]);
  std::swap(base_[from], base_[to]);
}

void Cohort::resize(std::size_t members) {
  for (std::size_t i = members; i < size(); ++i) base_sum_ -= base_[i];
  block_at_.resize(members);
  heed_at_.resize(members);
  limit_at_.resize(members);
  base_.resize(members);
  find_bounds();
}

void Cohort::catch_up(LiveRequest& live) const {
  if (!live.in_cohort) return;
  const std::int64_t tokens = tokens_ - live.joined_tokens;
  if (tokens == 0) return;
  const Duration served = served_ - live.joined_served;
  RequestView& view = live.view;
  view.computed += tokens;
  view.generated += tokens;
  view.served += served;
  live.untold += served;
  live.stored_tokens += tokens;
  live.facts.sequence_tokens += tokens;
  live.computed_peak = std::max(live.computed_peak, view.computed);
  live.last_token = last_token_;
  view.last_ran = last_token_;
  view.last_iteration = last_iteration_;
  live.joined_tokens = tokens_;
  live.joined_served = served_;
}

void Cohort::produce(std::int64_t tokens, Time at) {
  tokens_ += tokens;
  last_token_ = at;
  if (tokens_ <= limit_from_) return;
  find_bounds();
  invariant(tokens_ <= limit_from_, "I8 tokens produced are tokens asked",
            "a request produced {} tokens more than it may", tokens_ - limit_from_);
}

void Cohort::serve(Duration ran, std::uint64_t iteration) {
  served_ += ran;
  last_iteration_ = iteration;
}

Duration Cohort::least_indifference() const {
  Duration least = Duration::max();
  for (const Duration heed_at : heed_at_) {
    if (heed_at > served_) least = std::min(least, heed_at - served_);
  }
  return least;
}

std::int64_t Cohort::lacking() {
  if (least_covered() > 0) return 0;
  std::int64_t members = 0;
  for (const std::int64_t block_at : block_at_) members += block_at <= tokens_ ? 1 : 0;
  return members;
}

void Cohort::find_bounds() {
  block_from_ = least(block_at_, kNoBound);
  limit_from_ = least(limit_at_, kNoBound);
  heed_from_ = least(heed_at_, Duration::max());
}

}  // namespace tokenyard
