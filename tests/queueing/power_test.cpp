// The theory tests are worth what they reject. Here are servers that are wrong in one point each,
// and the same check must refuse them, for their mean and not for want of data.

#include "tests/queueing/continuous_queue.hpp"

namespace tokenyard::test {
namespace {

/// Last come, first served, at token boundaries.
class Lifo final : public Policy {
 public:
  void on_arrive(const RequestView& request, const PolicyContext&, Ranking& ranking) override {
    ranking.set(request.id, {-request.arrived.time_since_epoch().count()});
  }
};

/// SRPT that forgets to count what was served: it ranks by the whole length.
class ShortestWhole final : public Policy {
 public:
  Needs needs() const override { return {.length_predictor = true}; }
  void on_arrive(const RequestView& request, const PolicyContext& context,
                 Ranking& ranking) override {
    ranking.set(request.id, {std::llround(context.predictor().output_tokens_mean(request))});
  }
};

void expect_rejected(const QueueSystem& system, const MakePolicy& make, Metric metric,
                     std::size_t jobs) {
  const Samples samples = replicate(system, make, {metric}, {20, jobs});
  const Oracle& row = oracle(system.id, metric);
  const Estimate got = estimate(samples.values[0]);
  EXPECT_TRUE(samples.complete);
  EXPECT_LE(got.standard_error, 0.01 * row.value) << "too few jobs to tell anything";
  const auto verdict = meets(row, got);
  EXPECT_FALSE(verdict) << verdict.message();
}

MakePolicy named(const std::string& policy) {
  return [policy] { return make_policy(policy); };
}

QueueSystem seven_counts(const std::string& id) {
  return token_server(id, 4.306864065, seven_token_counts(), 0.025);
}

// Would be passed by a check that compares too little or has too few jobs.
TEST(TheoryRejects, LifoInPlaceOfFcfs) {
  expect_rejected(
      seven_counts("S17"), [] { return std::make_unique<Lifo>(); }, Metric::mean_slowdown, 20'000);
}

TEST(TheoryRejects, LeastAttainedServiceInPlaceOfFcfs) {
  expect_rejected(seven_counts("S17"), named("mlfq:ratio=1,base_quantum_ms=25,order=arrival"),
                  Metric::mean_slowdown, 20'000);
}

TEST(TheoryRejects, SrptThatIsBlindToProgress) {
  expect_rejected(
      seven_counts("S18"), [] { return std::make_unique<ShortestWhole>(); }, Metric::mean_slowdown,
      20'000);
}

// The quantum is one token and a nanosecond: each level lasts a token too long.
TEST(TheoryRejects, AQuantumThatIsOverrunByOneToken) {
  expect_rejected(seven_counts("S20"),
                  named("mlfq:ratio=2,base_quantum_ms=25.000001,levels=6,order=arrival"),
                  Metric::mean_slowdown, 20'000);
}

TEST(TheoryRejects, NaiveQueuesInPlaceOfSkipJoin) {
  expect_rejected(two_prompt_classes("S22"), named("mlfq:base_quantum_ms=50,ratio=2,order=arrival"),
                  Metric::mean_slowdown, 20'000);
}

TEST(TheoryRejects, AStepThatCostsTwoPercentTooMuch) {
  expect_rejected(batch_server("S29", 16, geometric_tokens(0.05), 16, 0.0204, 0.00102),
                  named("fcfs"), Metric::mean_t, 20'000);
}

TEST(TheoryRejects, ABatchThatIsOneMemberShort) {
  expect_rejected(batch_server("S28", 9, geometric_tokens(0.0625), 7, 0.02, 0.0025), named("fcfs"),
                  Metric::mean_t, 20'000);
}

TEST(TheoryRejects, ContinuousBatchesInPlaceOfStaticOnes) {
  QueueSystem system = static_batch_server("S30");
  system.limits.static_batching = false;
  expect_rejected(system, named("fcfs"), Metric::mean_t, 20'000);
}

/// In continuous time: refused by the value at the limit of small tokens.
void expect_rejected(const ContinuousCase& c, const MakePolicy& make, Metric metric) {
  const Continuous got =
      halve_tokens(c, make, {metric}, {.replications = 40, .jobs = c.jobs, .leave_out_end = true});
  const Halvings& h = got.metrics.front();
  const Oracle& row = oracle(c.id, metric);
  EXPECT_TRUE(got.complete);
  EXPECT_LE(h.limit.standard_error, 0.01 * row.value) << "too few jobs to tell anything";
  const auto verdict = meets(row, h.limit);
  EXPECT_FALSE(verdict) << verdict.message();
}

// Would be passed by an extrapolation that bends any value to the theory.
TEST(TheoryRejects, SrptThatIsBlindToProgressInContinuousTime) {
  expect_rejected(
      {"S07", 0.8, exponential_law(), token_server, "", 0.2, 2'000},
      [] { return std::make_unique<ShortestWhole>(); }, Metric::mean_t);
}

// Would be passed by a check too blunt to see what the extrapolation takes out.
TEST(TheoryRejects, TokensWhoseLengthIsLeftIn) {
  const ContinuousCase c{"S07", 0.8, exponential_law(), token_server, "", 0.1, 2'000};
  const Continuous got = halve_tokens(c, named("srpt"), {Metric::mean_slowdown},
                                      {.replications = 40, .jobs = c.jobs, .leave_out_end = true});
  for (const Estimate& with_tokens : got.metrics.front().at) {
    EXPECT_FALSE(meets(oracle("S07", Metric::mean_slowdown), with_tokens));
  }
}

}  // namespace
}  // namespace tokenyard::test
