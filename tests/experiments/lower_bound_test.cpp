// What no schedule can fall below: by hand, and against every policy.

#include "experiments/bounds/known_bounds.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <filesystem>

#include "experiments/bounds/relaxations.hpp"
#include "models/linear_cost_model.hpp"
#include "models/roofline_cost_model.hpp"
#include "tests/contract/policies_of_catalogue.hpp"
#include "tests/queueing/queue_system.hpp"
#include "tests/support/crowded_jobs.hpp"
#include "tests/support/simulation.hpp"

namespace tokenyard {
namespace {

using test::Job;

MachineJob job(std::int64_t release, std::int64_t size) {
  return {kOrigin + Duration(release), Duration(size)};
}

std::int64_t ns(WideInteger value) {
  return static_cast<std::int64_t>(value);
}

// Would catch: a job that is not preempted by a shorter one, preempts for its whole instead of its
// remaining size, or starts before its release.
TEST(Relaxations, SrptByHand) {
  // 0 runs to 4, 1 to 7 (3 left is less than 5), 2 from 7 to 12, 0's remaining 6 from 12 to 18.
  EXPECT_EQ(ns(least_completion_sum(std::vector{job(0, 10), job(4, 3), job(6, 5)})), 18 + 7 + 12);
  // With 2 left at 8 the first goes on: 10; then 3 more.
  EXPECT_EQ(ns(least_completion_sum(std::vector{job(0, 10), job(8, 3)})), 10 + 13);
  EXPECT_EQ(ns(least_completion_sum(std::vector{job(5, 0), job(100, 1)})), 5 + 101);
}

// Would catch: an order by remaining instead of whole size, and the average of a job's ends taken
// for that of its time.
TEST(Relaxations, MeanBusyTimesByHand) {
  // 0 in [0, 8) and [11, 13): (8 x 4 + 2 x 12) / 10 = 5.6, rounded down; 1 in [8, 11): 9.5.
  EXPECT_EQ(ns(least_mean_busy_sum(std::vector{job(0, 10), job(8, 3)})), 5 + 9);
  EXPECT_EQ(ns(least_mean_busy_sum(std::vector{job(7, 0)})), 7);
}

std::vector<BoundRequest> requests_of(const std::vector<RequestFacts>& facts) {
  FinishedRequests finished(kOrigin);
  for (const RequestFacts& each : facts) finished.ended(each);
  return finished.take();
}

WideInteger jct_sum(const std::vector<RequestFacts>& facts) {
  WideInteger sum = 0;
  for (const RequestFacts& each : facts) {
    if (each.end == End::finished) sum += (each.ended - each.request.arrival).count();
  }
  return sum;
}

/// Costs of whole or broken ns, some of them nothing, so that now one part decides and now another.
LinearCostModel any_linear_cost() {
  const auto cost = [](int most_ns) {
    return *rc::gen::element(0.0, 0.3, 1.0) * *rc::gen::inRange(0, most_ns + 1) * 1e-9;
  };
  LinearCoefficients coefficients;
  coefficients.iteration_s = cost(5'000'000);
  coefficients.prefill_token_s = cost(300'000);
  coefficients.prefill_quadratic_s = cost(20'000);
  coefficients.decode_sequence_s = cost(1'000'000);
  coefficients.context_token_s = cost(30'000);
  coefficients.swap_block_s = cost(1'000'000);
  return LinearCostModel(coefficients);
}

const std::filesystem::path kData = std::filesystem::path(TOKENYARD_SOURCE_DIR) / "models";

RooflineCostModel any_roofline_cost() {
  const auto tp = *rc::gen::element(1, 2);
  return RooflineCostModel(
      load_model_spec(kData, *rc::gen::element<std::string>("opt-13b", "llama-3.1-8b")),
      load_device_spec(kData, "a100-80g"), tp);
}

/// Any that comes to an end: where an iteration takes no time, those that go by time served may
/// take turns for ever; and where chunks are lost again to eviction, those that go by work left.
std::string any_policy(const CostModel& cost, const ServerSettings& settings) {
  if (cost.iteration(IterationLoad::one_decode(1)) < Duration(1'000)) {
    return *rc::gen::element<std::string>("fcfs", "srpt");
  }
  auto policies = test::policies_under_test();
  if (settings.limits.chunk_tokens > 0) std::erase(policies, "srpt:size=work");
  return *rc::gen::elementOf(policies);
}

template <typename Cost>
void expect_below_every_policy(const Cost& cost, const std::vector<Job>& jobs,
                               const ServerSettings& settings) {
  const std::string policy = any_policy(cost, settings);
  const auto outcome = test::simulate(jobs, policy, cost, settings, false);
  const auto bound = lower_bound_on_jct(requests_of(outcome.requests), settings, cost.floors());
  if (!bound) return;  // nobody finished
  const WideInteger reached = jct_sum(outcome.requests);
  if (bound->total_ns > reached) {
    RC_FAIL(policy + ": " + std::to_string(ns(bound->total_ns)) + " ns of " +
            std::to_string(ns(reached)) + ", " + name_of(bound->from));
  }
}

// Would catch: work that some schedule gets around: by chunks, by a prefix found in the cache, by
// tokens that come from computing all again, by shared blocks or beams, by rounding to nanoseconds,
// or in a static batch. To the last nanosecond.
RC_GTEST_PROP(LowerBound, IsBelowEveryPolicyOnLinearCosts, ()) {
  const auto jobs = test::crowded_jobs();
  expect_below_every_policy(any_linear_cost(), jobs, test::crowded_settings(jobs));
}

// Would catch: the same on costs with maxima, where batches and chunks are not sums of their parts.
RC_GTEST_PROP(LowerBound, IsBelowEveryPolicyOnRooflineCosts, ()) {
  auto jobs = test::crowded_jobs();
  for (Job& each : jobs) {
    if (each.prompt_ids.empty()) each.prompt_tokens *= *rc::gen::element(1, 1, 30);
  }
  expect_below_every_policy(any_roofline_cost(), jobs, test::crowded_settings(jobs));
}

// Would catch: the same where memory is ample, prompts are long and batches small or large.
RC_GTEST_PROP(LowerBound, IsBelowEveryPolicyOnAmpleMemory, ()) {
  auto jobs = test::random_jobs({.most_jobs = 30, .gap_ms = 40, .prompt = 900, .output = 30});
  ServerSettings settings = test::ample();
  settings.limits.max_num_seqs = *rc::gen::inRange<std::int64_t>(1, 12);
  settings.limits.chunk_tokens = *rc::gen::element<std::int64_t>(0, 0, 64, 300);
  settings.kv.device_blocks = *rc::gen::element<std::int64_t>(60, 200, 10'000);
  expect_below_every_policy(any_roofline_cost(), jobs, settings);
  expect_below_every_policy(any_linear_cost(), jobs, settings);
}

double bound_over_srpt(const test::QueueSystem& system, std::size_t requests) {
  const auto jobs = test::draw_jobs(system, 1, requests);
  const LinearCostModel cost(system.cost);
  ServerSettings settings = test::ample();
  settings.limits = system.limits;
  settings.kv.block_size = test::kTokensABlock;
  const auto outcome = test::simulate(jobs, "srpt:size=work", cost, settings, false);
  const auto bound = lower_bound_on_jct(requests_of(outcome.requests), settings, cost.floors());
  const double ratio =
      static_cast<double>(bound->total_ns) / static_cast<double>(jct_sum(outcome.requests));
  EXPECT_LE(ratio, 1.0);
  return ratio;
}

// Would catch: a bound that says little more than each request's time alone.
TEST(LowerBound, ReachesMostOfSrptAtBatchOne) {
  // Load 0.9: seven-token jobs of 20 ms a token.
  const auto tokens = test::seven_token_counts();
  Rng rng = named_stream(1, "mean");
  double mean = 0;
  for (int i = 0; i < 100'000; ++i) mean += static_cast<double>(tokens(rng).output_tokens) / 1e5;
  EXPECT_GT(bound_over_srpt(test::token_server("bound", 0.9 / (0.02 * mean), tokens, 0.02), 5'000),
            0.95);
  // Conversations on a machine: prompts and outputs, costs that grow with the context.
  test::QueueSystem chat =
      test::batch_server("chat", 0.9 / 3.0, test::geometric_tokens(0.01), 1, 0.025, 0.004);
  chat.cost.context_token_s = 1e-5;
  chat.arrival_rate = 0.9 / (100 * (0.029 + 50e-5));
  EXPECT_GT(bound_over_srpt(chat, 3'000), 0.7);
}

// Would catch: relaxations that do not see that a batch shares its fixed cost.
TEST(LowerBound, UsesTheFullestBatchWhereQueuesGrow) {
  // 100 requests at once of ten iterations of 10 ms + 1 ms a member, at most ten together: ten
  // batches of 200 ms after one another. Each takes 20 ms of the machine.
  const LinearCostModel cost(
      {.iteration_s = 0.01, .prefill_token_s = 0.001, .decode_sequence_s = 0.001});
  ServerSettings settings = test::ample();
  settings.limits.max_num_seqs = 10;
  const std::vector<BoundRequest> requests(100, BoundRequest{kOrigin, 1, 10});
  const auto bound = lower_bound_on_jct(requests, settings, cost.floors());
  const double srpt = 0.020 * 101 / 2;
  // On average 9.5 of its 20 ms come before the last moment, which is 110 ms x 9/20 earlier.
  const double mean_busy = 0.020 * 100 / 2 + 0.110 * 0.45;
  EXPECT_EQ(bound->from, Relaxation::mean_busy);
  EXPECT_GT(mean_busy, srpt);
  EXPECT_NEAR(bound->mean_s(), mean_busy, 1e-5);
  // With blocks for four of them only, each takes a quarter of the fixed cost.
  settings.kv.device_blocks = 4;
  EXPECT_NEAR(lower_bound_on_jct(requests, settings, cost.floors())->mean_s(),
              0.035 * 100 / 2 + 0.110 * 0.45, 1e-5);
}

// Would catch: costs taken before they are rounded to nanoseconds, and tokens counted as decodes
// that an evicted request gets by computing all again.
TEST(LowerBound, GrantsWhatTheServerCanGetAround) {
  const LinearCostModel short_of_two_ns({.iteration_s = 1.4e-9});
  const auto outcome = test::simulate({{kOrigin, 1, 100}}, "fcfs", short_of_two_ns);
  const auto requests = requests_of(outcome.requests);
  const auto rounded = lower_bound_on_jct(requests, test::ample(), short_of_two_ns.floors());
  EXPECT_EQ(ns(jct_sum(outcome.requests)), 100);
  EXPECT_LE(ns(rounded->total_ns), 100);
  EXPECT_GE(ns(rounded->total_ns), 89);

  const LinearCostModel free_prompts({.decode_sequence_s = 0.001});
  EXPECT_EQ(ns(lower_bound_on_jct(requests, test::ample(), free_prompts.floors())->total_ns), 0);
}

// Would catch: requests that are not in the summary's mean taken into the bound.
TEST(LowerBound, IsOverThoseWhoFinished) {
  FinishedRequests finished(kOrigin + Duration(10));
  RequestFacts facts;
  facts.request.prompt_tokens = 1;
  finished.ended(facts);  // before the warm-up
  facts.request.arrival = kOrigin + Duration(10);
  facts.end = End::cancelled;
  finished.ended(facts);
  facts.end = End::finished;
  facts.output_tokens = 3;
  finished.ended(facts);
  const auto kept = finished.take();
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(kept[0].output_tokens, 3);
  EXPECT_FALSE(lower_bound_on_jct({}, test::ample(), LinearCostModel({}).floors()));
}

// Would catch: a bound that is computed for each policy anew, or one that is taken for another
// problem's; requests told apart by the order in which a policy ends them.
TEST(KnownBounds, ComputesEachProblemOnce) {
  std::vector<BoundRequest> requests;
  for (std::int64_t i = 0; i < 50; ++i) {
    requests.push_back({kOrigin + Duration(i / 3 * 1'000'000), 5 + i % 7, 1 + i % 11});
  }
  LinearCoefficients coefficients;
  coefficients.iteration_s = 0.01;
  coefficients.prefill_token_s = 0.001;
  const auto floors = LinearCostModel(coefficients).floors();
  ServerSettings settings = test::ample();
  settings.limits.max_num_seqs = 4;
  KnownBounds known;
  const auto first = known.of(requests, settings, floors);
  EXPECT_TRUE(first->total_ns == lower_bound_on_jct(requests, settings, floors)->total_ns);
  auto reversed = requests;
  std::ranges::reverse(reversed);
  EXPECT_TRUE(known.of(reversed, settings, floors)->total_ns == first->total_ns);
  ServerSettings same = settings;
  same.limits.look_past = true;  // it changes no bound
  known.of(requests, same, floors);
  EXPECT_EQ(known.size(), 1U);
  // Each of these asks for something else.
  std::vector<ServerSettings> others(4, settings);
  others[0].limits.max_num_seqs = 5;
  others[1].limits.chunk_tokens = 2;
  others[2].kv.device_blocks -= 1;
  others[3].kv.prefix_caching = true;
  for (const ServerSettings& other : others) {
    EXPECT_TRUE(known.of(requests, other, floors)->total_ns ==
                lower_bound_on_jct(requests, other, floors)->total_ns);
  }
  coefficients.iteration_s = 0.02;
  known.of(requests, settings, LinearCostModel(coefficients).floors());
  ++reversed[7].output_tokens;
  known.of(reversed, settings, floors);
  EXPECT_EQ(known.size(), 7U);
}

}  // namespace
}  // namespace tokenyard
