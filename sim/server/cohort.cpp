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
  limit_at_[member] = tokens_ + live.view.max_tokens - live.view.generated;
  limit_from_ = std::min(limit_from_, limit_at_[member]);
  may_hold_reserved_ = may_hold_reserved_ || !live.reserved.empty();
  note_patience(member, indifferent_for);
  note_joined(live);
}

void Cohort::note_patience(std::size_t member, Duration indifferent_for) {
  const bool ever = indifferent_for < Duration::max() - served_;
  heed_at_[member] = ever ? served_ + indifferent_for : Duration::max();
  heed_from_ = std::min(heed_from_, heed_at_[member]);
}

void Cohort::note_joined(LiveRequest& live) const {
  live.in_cohort = true;
  live.in_flight = true;
  live.joined_tokens = tokens_;
  live.joined_served = served_;
}

void Cohort::join(std::size_t member, LiveRequest& live, Duration indifferent_for) {
  last_token_ = live.last_token;
  const auto at = static_cast<std::ptrdiff_t>(member);
  base_.emplace(base_.begin() + at);
  block_at_.emplace(block_at_.begin() + at);
  limit_at_.emplace(limit_at_.begin() + at);
  heed_at_.emplace(heed_at_.begin() + at);
  enter(member, live, indifferent_for);
}

void Cohort::rejoin(std::size_t member, LiveRequest& live, Duration indifferent_for) {
  note_patience(member, indifferent_for);
  note_joined(live);
}

void Cohort::detach(LiveRequest& live) {
  catch_up(live);
  live.in_cohort = false;
  live.in_flight = false;
}

void Cohort::erase(std::size_t first, std::size_t last) {
  for (std::size_t i = first; i < last; ++i) base_sum_ -= base_[i];
  const auto from = static_cast<std::ptrdiff_t>(first), to = static_cast<std::ptrdiff_t>(last);
  base_.erase(base_.begin() + from, base_.begin() + to);
  block_at_.erase(block_at_.begin() + from, block_at_.begin() + to);
  limit_at_.erase(limit_at_.begin() + from, limit_at_.begin() + to);
  heed_at_.erase(heed_at_.begin() + from, heed_at_.begin() + to);
  if (size() > 0) return;
  limit_from_ = kNoBound;
  heed_from_ = Duration::max();
  may_hold_reserved_ = false;
}

void Cohort::catch_up(LiveRequest& live) const {
  if (!live.in_cohort) return;
  RequestView& view = live.view;
  if (const std::int64_t tokens = tokens_ - live.joined_tokens; tokens > 0) {
    const Duration served = served_ - live.joined_served;
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
  const std::int64_t room = view.computed + (begun_ ? 1 : 0);
  view.blocks_held = std::max(view.blocks_held, (room + block_size_ - 1) / block_size_);
}

void Cohort::produce(std::int64_t tokens, Time at) {
  tokens_ += tokens;
  last_token_ = at;
  begun_ = false;
  if (tokens_ <= limit_from_) return;
  limit_from_ = least(limit_at_, kNoBound);
  invariant(tokens_ <= limit_from_, "I8 tokens produced are tokens asked",
            "a request produced {} tokens more than it may", tokens_ - limit_from_);
}

void Cohort::serve(Duration ran, std::uint64_t iteration) {
  served_ += ran;
  last_iteration_ = iteration;
}

void Cohort::find_least_heed() {
  heed_from_ = least(heed_at_, Duration::max());
}

void Cohort::grow_all(std::int64_t iterations, std::vector<std::int64_t>& grown) {
  for (std::int64_t& block_at : block_at_) {
    // Most do not grow, and which do is hard to foresee, so the first is written without a branch.
    std::int64_t at = block_at - tokens_;
    ++grown[static_cast<std::size_t>(std::min(at, iterations))];
    block_at += at < iterations ? block_size_ : 0;
    while ((at += block_size_) < iterations) {
      ++grown[static_cast<std::size_t>(at)];
      block_at += block_size_;
    }
  }
}

std::int64_t Cohort::lacking() const {
  // The sign of a difference, which several are computed of at once where comparing takes one by
  // one.
  std::uint64_t members = 0;
  for (const std::int64_t block_at : block_at_) {
    members += static_cast<std::uint64_t>(block_at - tokens_ - 1) >> 63;
  }
  return static_cast<std::int64_t>(members);
}

}  // namespace tokenyard
