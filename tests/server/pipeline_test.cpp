// Executors that hold several iterations at once.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <deque>
#include <numeric>

#include "sim/kernel/clock.hpp"
#include "sim/server/serve.hpp"
#include "tests/support/by_hand.hpp"
#include "tests/support/random_jobs.hpp"

namespace tokenyard::test {
namespace {

using namespace std::chrono_literals;
using Requests = std::vector<std::uint32_t>;

ServerSettings one_sequence() {
  ServerSettings settings = ample();
  settings.limits.max_num_seqs = 1;
  return settings;
}

// Would catch: a pipeline that is never filled, filled beyond its depth, or that has a request in
// two stages at once.
TEST(Pipeline, DepthTwoHoldsTwoIterationsOfDifferentRequests) {
  SchedulerByHand bench(one_sequence(), 2);
  bench.arrival(0, 0);
  bench.arrival(0, 1);
  bench.arrival(0, 2);
  EXPECT_EQ(bench.pass(0), (Requests{0}));
  bench.stage_free(0, 0);
  EXPECT_EQ(bench.pass(0), (Requests{1}));
  bench.stage_free(0, 1);
  EXPECT_EQ(bench.pass(0), Requests{}) << "both places are taken";
  EXPECT_FALSE(bench.scheduler.can_decide_more());
  EXPECT_EQ(bench.scheduler.kinds_awaited(), kKindsWhileBusy);
  bench.end(10, 1, {false});
  EXPECT_EQ(bench.pass(10), (Requests{1})) << "0 is in flight, 1 is better than 2";
}

// Would catch: an iteration that begins in a stage that another is still in, or one that is decided
// ahead of that instant, so that an arrival in between comes too late for it.
TEST(Pipeline, TheNextIterationIsDecidedWhenTheFirstStageIsFree) {
  SchedulerByHand bench(one_sequence(), 3, "mlfq:base_quantum_ms=10");
  bench.arrival(0, 0);
  bench.arrival(0, 1);
  EXPECT_EQ(bench.pass(0), (Requests{0}));
  EXPECT_FALSE(bench.scheduler.can_decide_more());
  EXPECT_EQ(bench.scheduler.kinds_awaited(), kKindsWhileBusy);
  bench.stage_free(10, 0);
  EXPECT_EQ(bench.pass(10), (Requests{1}));
  bench.end(12, 0, {false});
  EXPECT_EQ(bench.pass(12), Requests{}) << "1 is in the first stage";
  bench.arrival(14, 2);
  bench.stage_free(15, 1);
  EXPECT_EQ(bench.pass(15), (Requests{2})) << "came later than 0, and 0 has used its quantum up";
}

// Would catch: a request in flight that is scheduled again before its token is known.
TEST(Pipeline, ALoneRequestIsInFlightOnce) {
  SchedulerByHand bench(ample(), 2);
  bench.arrival(0, 0);
  EXPECT_EQ(bench.pass(0), (Requests{0}));
  bench.stage_free(0, 0);
  EXPECT_EQ(bench.pass(0), Requests{});
  EXPECT_TRUE(bench.scheduler.can_decide_more());
  EXPECT_EQ(bench.scheduler.kinds_awaited(), Events::kKinds) << "an arrival could start at once";
  bench.arrival(4, 1);
  EXPECT_EQ(bench.pass(4), (Requests{1}));
}

// Would catch: a preemption that never was: 0 ends while 1 is in the first stage, and goes on as
// soon as that is free; and one that is missed: 1 is left out when 2 is taken in its place.
TEST(Pipeline, WhoWaitsForTheFirstStageAloneWasNotPreempted) {
  SchedulerByHand bench(one_sequence(), 2, "mlfq:base_quantum_ms=10");
  bench.arrival(0, 0);
  bench.arrival(0, 1);
  bench.pass(0);
  bench.stage_free(5, 0);
  EXPECT_EQ(bench.pass(5), (Requests{1}));
  bench.end(8, 0, {false});
  EXPECT_EQ(bench.pass(8), Requests{});
  bench.stage_free(10, 1);
  EXPECT_EQ(bench.pass(10), (Requests{0}));
  bench.end(16, 1, {false});
  EXPECT_EQ(bench.pass(16), Requests{}) << "1 sinks";
  bench.arrival(17, 2);
  bench.stage_free(17, 2);
  EXPECT_EQ(bench.pass(17), (Requests{2}));
  bench.end(20, 2, {true});
  bench.stage_free(22, 3);
  EXPECT_EQ(bench.pass(22), (Requests{1}));
  bench.end(27, 3, {true});
  bench.stage_free(27, 4);
  bench.end(30, 4, {true});
  bench.pass(30);
  EXPECT_EQ(bench.facts.of(0).preemptions, 0);
  EXPECT_EQ(bench.facts.of(0).phases[static_cast<std::size_t>(Phase::preempted)], 0ms);
  EXPECT_EQ(bench.facts.of(1).preemptions, 1);
  EXPECT_EQ(bench.facts.of(1).phases[static_cast<std::size_t>(Phase::preempted)], 5ms);
}

// Would catch: a cancellation that pulls a request, and its blocks, out of an iteration in flight.
TEST(Pipeline, ARequestInFlightIsCancelledWhenItsIterationEnds) {
  SchedulerByHand bench(ample(), 2);
  bench.arrival(0, 0);
  bench.pass(0);
  bench.cancellation(5, 0);
  EXPECT_EQ(bench.pass(5), Requests{});
  EXPECT_FALSE(bench.scheduler.drained());
  bench.end(10, 0, {false});
  EXPECT_EQ(bench.pass(10), Requests{});
  EXPECT_TRUE(bench.scheduler.drained());
  EXPECT_EQ(bench.facts.of(0).end, End::cancelled);
  EXPECT_EQ(bench.facts.of(0).ended, at_ms(10));
  EXPECT_EQ(bench.facts.of(0).output_tokens, 1);
}

// Would catch: blocks taken from an iteration in flight, which still reads them.
// (Where vLLM preempts a request in flight and appends its token when that arrives, ours waits: who
// is in flight is nobody's victim, so no token can come for a request without KV.)
TEST(Pipeline, BlocksInFlightAreNotTaken) {
  ServerSettings settings = one_sequence();
  settings.kv = {.block_size = 1, .device_blocks = 6};
  SchedulerByHand bench(settings, 2);
  bench.arrival(0, 0, 3);
  bench.arrival(0, 1, 3);
  EXPECT_EQ(bench.pass(0), (Requests{0}));
  bench.stage_free(0, 0);
  EXPECT_EQ(bench.pass(0), (Requests{1}));
  bench.stage_free(0, 1);
  bench.end(10, 0, {false});
  EXPECT_EQ(bench.pass(10), Requests{}) << "0 needs a block; all others are in flight";
  bench.end(12, 1, {false});
  EXPECT_EQ(bench.pass(12), (Requests{0})) << "now 1 gives way";
}

// Would catch: static batches that mix their members, or a second one that never starts.
TEST(Pipeline, StaticBatchesRunBesideOneAnother) {
  ServerSettings settings = ample();
  settings.limits.static_batching = true;
  settings.limits.max_num_seqs = 2;
  SchedulerByHand bench(settings, 2);
  for (std::uint32_t id = 0; id < 5; ++id) bench.arrival(0, id);
  EXPECT_EQ(bench.pass(0), (Requests{0, 1}));
  bench.stage_free(0, 0);
  EXPECT_EQ(bench.pass(0), (Requests{2, 3}));
  bench.stage_free(0, 1);
  bench.end(10, 0, {true, false});
  EXPECT_EQ(bench.pass(10), (Requests{0, 1}));
  EXPECT_TRUE(bench.last->slots[0].padding);
  EXPECT_FALSE(bench.last->slots[1].padding);
  bench.stage_free(10, 2);
  bench.end(12, 1, {true, true});
  EXPECT_EQ(bench.pass(12), (Requests{4})) << "the second batch is over, the first goes on";
  bench.stage_free(12, 3);
  bench.end(20, 2, {false, true});
  EXPECT_EQ(bench.pass(20), Requests{});
  EXPECT_EQ(bench.facts.of(0).ended, at_ms(20)) << "with its batch, not with its token";
  EXPECT_EQ(bench.facts.of(0).output_tokens, 1);
  EXPECT_EQ(bench.facts.of(1).output_tokens, 2);
}

/// Stages that hand iterations on: each holds one for its own time.
class StagedExecutor final : public Executor {
 public:
  StagedExecutor(int stages, const OutputOracle& oracle) : busy_until_(stages), oracle_(oracle) {}

  int depth() const override { return static_cast<int>(busy_until_.size()); }

  void begin(const Iteration& iteration, Time now, Events& events) override {
    for (const KvCopy& copy : iteration.copies) {
      events.post(now + 300us * copy.host_blocks.size(), index(copy.id), CopyEnd{copy.id});
    }
    if (iteration.slots.empty()) return;
    auto& outcomes = outcomes_.emplace_back();
    for (const Slot& slot : iteration.slots) {
      outcomes.push_back(
          {slot.yields && slot.generated + 1 == oracle_.output_tokens(slot.request)});
    }
    Time at = now;
    for (Time& busy_until : busy_until_) {
      at = std::max(at, busy_until) + 1ms + Duration(iteration.slots.size());
      busy_until = at;
    }
    events.post(busy_until_.front(), index(iteration.id), StageFree{iteration.id});
    events.post(at, index(iteration.id), IterationEnd{iteration.id, outcomes});
  }

 private:
  std::vector<Time> busy_until_;
  const OutputOracle& oracle_;
  std::deque<std::vector<SlotOutcome>> outcomes_;
};

/// Audits at every iteration and keeps the facts.
class Auditor final : public Observer {
 public:
  void decided(Time, const Iteration& iteration, const IterationFacts&) override {
    scheduler->audit();
    slots += static_cast<std::int64_t>(iteration.slots.size());
  }
  void ended(const RequestFacts& facts) override { ends.push_back(facts); }

  Scheduler* scheduler = nullptr;
  std::int64_t slots = 0;
  std::vector<RequestFacts> ends;
};

// Would catch: whatever goes wrong only when ends, arrivals, evictions and cancellations meet
// several iterations in flight: lost or doubled requests, lost blocks, time that vanishes.
RC_GTEST_PROP(Pipeline, EveryRequestComesToItsRightEndAtAnyDepth, ()) {
  const auto jobs = random_jobs({.cancellations = true});
  ServerSettings settings = random_settings();
  const std::string name = *rc::gen::element<std::string>("fcfs", "srpt", "mlfq");
  const auto policy = make_policy(name);
  JobWorkload workload(jobs);
  const TruePredictor predictor(workload);
  const IntegerCost cost(1ms);
  StagedExecutor executor(*rc::gen::inRange(2, 5), workload);
  Auditor auditor;
  SimClock clock;
  Scheduler scheduler(settings, {*policy, cost, &predictor, &workload, auditor}, executor.depth());
  auditor.scheduler = &scheduler;
  serve(scheduler, clock, workload, executor, auditor);
  RC_ASSERT(auditor.ends.size() == jobs.size());
  for (const RequestFacts& facts : auditor.ends) {
    const Job& job = jobs[index(facts.request.id)];
    if (facts.end == End::finished) RC_ASSERT(facts.output_tokens == job.output_tokens);
    const Duration phases =
        std::accumulate(std::begin(facts.phases), std::end(facts.phases), Duration{0});
    RC_ASSERT(phases == facts.ended - facts.request.arrival);
  }
}

}  // namespace
}  // namespace tokenyard::test
