#include "experiments/costs/profile_rounds.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "sim/kernel/rng.hpp"

namespace tokenyard {

namespace {

std::vector<CopyPoint> copy_points(std::int64_t blocks) {
  std::vector<CopyPoint> points;
  for (std::int64_t count = 1; count <= std::min<std::int64_t>(blocks, 64); count *= 4) {
    points.push_back({count, true});
    points.push_back({count, false});
  }
  return points;
}

/// 0, 1, …, count - 1 in an order drawn for this round.
std::vector<std::size_t> shuffled(std::size_t count, std::uint64_t seed, int round) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  Rng rng = named_stream(seed, "order of measuring", static_cast<std::uint64_t>(round));
  for (std::size_t i = count; i > 1; --i) std::swap(order[i - 1], order[rng() % i]);
  return order;
}

}  // namespace

ProfileRounds::ProfileRounds(ProfiledMachine& machine, ProfilePlan plan)
    : machine_(machine),
      plan_(std::move(plan)),
      points_(profile_grid(plan_.limits, plan_.seed)),
      copies_(copy_points(plan_.limits.blocks)),
      iteration_times_(points_.size()),
      copy_times_(copies_.size()) {}

Duration ProfileRounds::measure(const std::function<void()>& told) {
  const Time begun = machine_.now();
  ++count_;
  for (const std::size_t i : shuffled(points_.size() + copies_.size(), plan_.seed, count_)) {
    const bool is_copy = i >= points_.size();
    const std::size_t at = is_copy ? i - points_.size() : i;
    const Duration took = is_copy ? machine_.copy(copies_[at].blocks, copies_[at].to_host)
                                  : machine_.iteration(points_[at]);
    if (count_ > 0) (is_copy ? copy_times_ : iteration_times_)[at].push_back(to_seconds(took));
    told();
  }
  return machine_.now() - begun;
}

}  // namespace tokenyard
