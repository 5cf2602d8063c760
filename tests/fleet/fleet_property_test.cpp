// Whatever fails whenever: nothing is lost, nothing ends twice, and macro-steps change nothing.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <numeric>

#include "sim/server/routers.hpp"
#include "tests/contract/policies_of_catalogue.hpp"
#include "tests/fleet/fleet_run.hpp"
#include "tests/support/diary.hpp"
#include "tests/support/integer_cost.hpp"
#include "tests/support/random_jobs.hpp"

namespace tokenyard::test {
namespace {

using namespace std::chrono_literals;

/// Costs that fall on round times often, so that much happens at the same instant.
const IntegerCost& round_cost() {
  static const IntegerCost model({.iteration = 1ms, .copy_block = 1ms});
  return model;
}

std::vector<Job> jobs_of_sessions() {
  JobRanges ranges;
  ranges.cancellations = true;
  ranges.several_sequences = true;
  ranges.known_prompts = true;
  return random_jobs(ranges);
}

/// Outages of some replicas, of which the last of each may be for good; one replica of each role
/// always comes back.
std::vector<Outage> random_outages(std::size_t replicas, std::size_t prefill) {
  using rc::gen::inRange;
  std::vector<Outage> outages;
  for (std::size_t i = 0; i < replicas; ++i) {
    Time at = kOrigin;
    const int times = *inRange(0, 3);
    for (int k = 0; k < times; ++k) {
      at += *rc::gen::element(1, 2) * 500us * *inRange(0, 80);
      const bool may_stay_away = i != 0 && i != prefill && k + 1 == times;
      const Time back = may_stay_away && *inRange(0, 2) == 0 ? kNever : at + 1ms * *inRange(1, 30);
      outages.push_back({static_cast<ReplicaId>(i), at, back});
      if (back == kNever) break;
      at = back;  // the next may follow at once
    }
  }
  return outages;
}

FleetCase random_case() {
  using rc::gen::element;
  using rc::gen::inRange;
  FleetCase what;
  what.fleet.replicas = *inRange<std::size_t>(1, 5);
  if (what.fleet.replicas > 1 && *inRange(0, 2) == 0) {
    what.fleet.prefill_replicas = *inRange<std::size_t>(1, what.fleet.replicas);
  }
  what.fleet.outages = random_outages(what.fleet.replicas, what.fleet.prefill_replicas);
  what.server = random_settings();
  if (what.fleet.prefill_replicas > 0) what.server.limits.static_batching = false;
  what.policy = *rc::gen::elementOf(policies_under_test());
  std::vector<std::string> routers;
  for (const RouterEntry& entry : router_entries()) routers.emplace_back(entry.name);
  what.router = *rc::gen::elementOf(routers);
  const Duration block = *element<Duration>(0us, 300us, 1ms, 20ms);
  what.transfer = [block](std::int64_t blocks, ReplicaId, ReplicaId) { return blocks * block; };
  return what;
}

// Would catch: a request that is lost or answered twice when its replica fails or hands it over;
// tokens or time that go missing on the way; blocks that nobody gives back (an invariant of the
// loop); and any result that depends on how far macro-steps go.
RC_GTEST_PROP(FleetProperties, LoseNothing, ()) {
  const std::vector<Job> jobs = jobs_of_sessions();
  FleetCase what = random_case();
  const IntegerCost& cost = *rc::gen::arbitrary<bool>() ? varied_cost() : round_cost();
  RC_LOG() << what.policy << ", " << what.router << ", " << what.fleet.replicas << " replicas, "
           << what.fleet.prefill_replicas << " prefill, " << what.fleet.outages.size()
           << " outages\n";
  const FleetOutcome outcome = run_fleet(jobs, cost, what);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    RC_ASSERT(outcome.ends[i] == 1);
    const RequestFacts& facts = outcome.requests[i];
    if (facts.end == End::rejected) continue;
    const Duration parts =
        std::accumulate(std::begin(facts.phases), std::end(facts.phases), Duration{0});
    RC_ASSERT(parts == outcome.jct(i));
    if (facts.end == End::cancelled) continue;
    RC_ASSERT(facts.output_tokens == jobs[i].longest());
    RC_ASSERT(facts.sequence_tokens == jobs[i].all_tokens());
    RC_ASSERT(index(facts.replica) < what.fleet.replicas);
  }
  what.server.macro_steps = false;
  RC_ASSERT(equal("macro-steps", outcome.story, run_fleet(jobs, cost, what).story));
}

}  // namespace
}  // namespace tokenyard::test
