#include "experiments/validate/turns.hpp"

#include <algorithm>

namespace tokenyard {

namespace {

/// Measures the first rounds and says how many of the `turns` to come with them get one more than
/// one; a turn may get several.
std::int64_t rounds_beyond_one_each(const TurnPlan& plan, std::int64_t turns, TurnTaker& taker) {
  Duration spent = taker.round();  // warms up
  Duration took{0};
  for (std::int64_t i = 0; i < plan.rounds_first; ++i) took += taker.round();
  spent += took;
  const Duration each = std::max(Duration{1}, took / plan.rounds_first);
  const std::int64_t fit = std::max(Duration{0}, plan.allowed - spent) / each;
  return std::max<std::int64_t>(0, std::min(fit, plan.rounds_most - plan.rounds_first) - turns);
}

}  // namespace

void take_turns(const TurnPlan& plan, TurnTaker& taker) {
  const auto policies = static_cast<std::int64_t>(plan.policies);
  const std::int64_t turns = policies * plan.repetitions;
  const bool profiles = plan.rounds_first > 0;
  const std::int64_t extra = profiles ? rounds_beyond_one_each(plan, turns, taker) : 0;
  taker.ready(profiles ? turns + extra : 0);
  for (std::int64_t turn = 0; turn < turns; ++turn) {
    const std::int64_t repetition = turn / policies;
    taker.live(static_cast<std::size_t>((turn + repetition) % policies));
    if (!profiles) continue;
    const std::int64_t rounds = 1 + extra * (turn + 1) / turns - extra * turn / turns;
    for (std::int64_t i = 0; i < rounds; ++i) taker.round();
  }
}

}  // namespace tokenyard
