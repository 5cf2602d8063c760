// How far macro-steps reach, and what ends one. That they change no result is shown by the contract
// tests.

#include <gtest/gtest.h>

#include "sim/kernel/invariant.hpp"
#include "tests/support/integer_cost.hpp"
#include "tests/support/simulation.hpp"

namespace tokenyard::test {
namespace {

using namespace std::chrono_literals;

/// Counts the times the server was asked.
class Passes final : public Observer {
 public:
  void fed(Time, std::span<const Event>) override { ++count; }
  int count = 0;
};

int passes(const std::vector<Job>& jobs, const std::string& policy, const ServerSettings& settings,
           bool macro_steps = true) {
  ServerSettings chosen = settings;
  chosen.macro_steps = macro_steps;
  Passes seen;
  simulate(jobs, policy, IntegerCost(1ms), chosen, true, &seen);
  return seen.count;
}

// Would catch: macro-steps that never happen, so that all runs step every iteration.
TEST(MacroSteps, DecodeAsLongAsNothingHappens) {
  const std::vector<Job> jobs{{.output_tokens = 1000}};
  EXPECT_EQ(passes(jobs, "fcfs", ample()), 3) << "arrival, end of prefill, end";
  EXPECT_EQ(passes(jobs, "srpt", ample()), 3);
  EXPECT_EQ(passes(jobs, "fcfs", ample(), false), 1001);
}

// Would catch: one that stops at each block that a table needs, or when others wait for places.
TEST(MacroSteps, GoOnWhileTablesGrowAndOthersWait) {
  ServerSettings settings = ample();
  settings.limits.max_num_seqs = 2;
  const std::vector<Job> jobs{{.output_tokens = 500}, {.output_tokens = 500}, {.output_tokens = 9}};
  EXPECT_EQ(passes(jobs, "fcfs", settings), 5);
}

// Would catch: one that runs past an arrival, so that it starts late, or stops long before it.
TEST(MacroSteps, EndAtTheFirstBoundaryAfterAnArrival) {
  const std::vector<Job> jobs{{.output_tokens = 1000},
                              {.arrival = at_ms(300) + 500us, .output_tokens = 1}};
  EXPECT_EQ(passes(jobs, "fcfs", ample()), 5);
  const Outcome run = simulate(jobs, "fcfs", IntegerCost(1ms));
  EXPECT_EQ(run.requests[1].first_scheduled, at_ms(301));
}

// Would catch: a prompt that is computed in chunks and ends a macro-step with each of them; or that
// goes on past a last chunk, which leaves tokens to who waits.
TEST(MacroSteps, GoOnWhileAPromptIsComputedInChunks) {
  ServerSettings settings = ample();
  settings.limits.chunk_tokens = settings.limits.max_num_batched_tokens = 10;
  EXPECT_EQ(passes({{.prompt_tokens = 95, .output_tokens = 1}}, "fcfs", settings), 2);
  EXPECT_EQ(passes({{.prompt_tokens = 95, .output_tokens = 1}}, "fcfs", settings, false), 11);
  const std::vector<Job> jobs{{.prompt_tokens = 95, .output_tokens = 1},
                              {.prompt_tokens = 5, .output_tokens = 1}};
  EXPECT_EQ(passes(jobs, "fcfs", settings), 3) << "arrivals, nine chunks, and both ends";
}

// Would catch: one that runs past the end of a quantum.
TEST(MacroSteps, EndWhereAQuantumIsUsedUp) {
  const std::vector<Job> jobs{{.output_tokens = 99}, {.output_tokens = 99}};
  const std::string policy = "mlfq:base_quantum_ms=10,ratio=1";
  EXPECT_EQ(passes(jobs, policy, ample()), 12) << "the prefill, and one for each level";
}

// Would catch: one that ends although who sinks meets nobody, or that goes on when it meets
// somebody.
TEST(MacroSteps, GoOnWhileARequestSinksAlone) {
  const std::string policy = "mlfq:base_quantum_ms=10,ratio=2";
  EXPECT_EQ(passes({{.output_tokens = 999}}, policy, ample()), 3);
  // The second comes to each level while the first is still there.
  const std::vector<Job> jobs{{.output_tokens = 999}, {.arrival = at_ms(40), .output_tokens = 999}};
  EXPECT_GT(passes(jobs, policy, ample()), 10);
}

// Would catch: a promise to stay that forgets what is carried over: more than the next quantum.
TEST(MacroSteps, EndWhereARequestMaySinkTwice) {
  const std::vector<Job> jobs{{.prompt_tokens = 1, .output_tokens = 99}};
  const IntegerCost cost({.prefill_token = 500us, .decode_sequence = 10ms});
  const Outcome run = simulate(jobs, "mlfq:base_quantum_ms=1,overrun=carry", cost);
  EXPECT_EQ(run.requests[0].end, End::finished);
}

/// Says that nobody changes places, and then lets whoever ran go behind all others.
class Liar final : public Policy {
 public:
  void on_arrive(const RequestView& request, const PolicyContext&, Ranking& ranking) override {
    ranking.set(request.id, {++last_});
  }
  void on_progress(const RequestView& request, Duration, const PolicyContext&,
                   Ranking& ranking) override {
    if (request.generated > 1) ranking.set(request.id, {++last_});
  }
  Duration indifferent_for(const RequestView& request) const override {
    return request.generated < 10 ? Duration(10ms) : Duration::max();
  }
  Duration unmoved_for(const RequestView&) const override { return 1s; }
  Steady steady(const Running&, const PolicyContext&) const override {
    return {.iterations = Steady::kForGood};
  }

 private:
  std::int64_t last_ = 0;
};

// Would catch: a macro-step that goes on in an order which is no longer that of the ranking.
TEST(MacroSteps, DoNotBelieveAPolicyThatMovesARequest) {
  Liar policy;
  const std::vector<Job> jobs{{.output_tokens = 99}, {.output_tokens = 99}};
  EXPECT_THROW(simulate(jobs, policy, IntegerCost(1ms)), InvariantBroken);
}

// Would catch: one that takes blocks that are not there; with none left the worse gives way as
// ever.
TEST(MacroSteps, EndWhereTheBlocksEnd) {
  ServerSettings settings;
  settings.kv.device_blocks = 8;
  const std::vector<Job> jobs{{.prompt_tokens = 16, .output_tokens = 100},
                              {.prompt_tokens = 16, .output_tokens = 100}};
  const Outcome run = simulate(jobs, "fcfs", IntegerCost(1ms), settings);
  EXPECT_EQ(run.requests[0].preemptions, 0);
  EXPECT_EQ(run.requests[1].preemptions, 1);
  EXPECT_LT(passes(jobs, "fcfs", settings), 20);
}

}  // namespace
}  // namespace tokenyard::test
