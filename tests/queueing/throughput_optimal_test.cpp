// Batching at 95 % of what any work-conserving batching can carry (Li, Dai and Peng,
// "Throughput-optimal scheduling algorithms for LLM inference and AI agents", 2025): Orca's and
// Sarathi's stay bounded, FasterTransformer's does not.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "experiments/run.hpp"
#include "sim/kernel/text.hpp"
#include "tests/experiments/made_up.hpp"

namespace tokenyard {
namespace {

// An iteration costs a + b (prompt tokens) + d (decoding sequences), for at most B sequences and T
// tokens. Requests have a fixed prompt and geometric outputs.
constexpr double kIteration = 0.01, kPrefillToken = 5e-5, kDecodeSequence = 1e-4;
constexpr double kSequences = 16, kTokens = 512, kPrompt = 200, kMeanOutput = 100;

/// The highest arrival rate that can be carried: a request needs E[output] places of the at most B
/// in an iteration and E[prompt + output - 1] of its at most T tokens, so its share of the
/// iterations' fixed cost is at least the greater of the two; to that come its own tokens.
double most_per_second() {
  const double iterations =
      std::max(kMeanOutput / kSequences, (kPrompt + kMeanOutput - 1) / kTokens);
  return 1 /
         (iterations * kIteration + kPrompt * kPrefillToken + (kMeanOutput - 1) * kDecodeSequence);
}

/// The mean number in system, by Little's law, of a run of so many requests.
double mean_in_system(double load, std::int64_t requests,
                      const std::vector<std::pair<std::string, std::string>>& batching) {
  const made_up::ScratchFolder scratch;
  const std::string cost = (scratch.path() / "cost.json").string();
  write_text_file(cost, fmt::format(R"({{"kind":"linear","iteration_s":{},"prefill_token_s":{},)"
                                    R"("decode_sequence_s":{}}})",
                                    kIteration, kPrefillToken, kDecodeSequence));
  const double rate = load * most_per_second();
  RunPlan plan;
  plan.trace = fmt::format(R"({{"requests":{},"arrivals":"poisson:rate=1",)"
                           R"("lengths":"geometric:prompt={},output_mean={}"}})",
                           requests, kPrompt, kMeanOutput);
  plan.policies = {"fcfs"};
  plan.settings = {{"cost", cost, "cost"},
                   {"kv-blocks", "1000000", "kv-blocks"},
                   {"max-num-seqs", format_number(kSequences), "max-num-seqs"},
                   {"max-num-batched-tokens", format_number(kTokens), "max-num-batched-tokens"},
                   {"request-rate", format_number(rate), "request-rate"}};
  for (const auto& [option, value] : batching) plan.settings.push_back({option, value, option});
  plan.quiet = true;
  return rate * run(plan, nullptr).runs.front().summary.value("mean_jct_s").value();
}

constexpr std::int64_t kShort = 10'000, kLong = 40'000;

// Would catch: continuous batching that leaves places or tokens unused while somebody waits: its
// queue would grow with the length of the run.
TEST(ThroughputOptimal, OrcaStaysBoundedAt95Percent) {
  const double shorter = mean_in_system(0.95, kShort, {});
  EXPECT_LT(mean_in_system(0.95, kLong, {}), 2 * shorter);
  EXPECT_LT(shorter, 20 * kSequences);
}

// Would catch: the same where prompts are prefilled in chunks beside decodes (Sarathi-Serve). Each
// chunk but the last takes a place for an iteration more, one in a hundred here.
TEST(ThroughputOptimal, SarathiStaysBoundedAt95Percent) {
  const double shorter = mean_in_system(0.95, kShort, {{"chunked-prefill", "128"}});
  EXPECT_LT(mean_in_system(0.95, kLong, {{"chunked-prefill", "128"}}), 2 * shorter);
  EXPECT_LT(shorter, 20 * kSequences);
}

// Would catch: static batches that end without their longest member: their queue grows with the
// run, four times as long four times as far.
TEST(ThroughputOptimal, StaticBatchesGrowLinearly) {
  const double ratio = mean_in_system(0.95, kLong, {{"static-batching", "true"}}) /
                       mean_in_system(0.95, kShort, {{"static-batching", "true"}});
  EXPECT_NEAR(ratio, 4, 0.3);
}

// Would catch: a bound that is none: above it nothing is stable, so the tests above would say
// little.
TEST(ThroughputOptimal, NothingIsStableAboveTheBound) {
  const double shorter = mean_in_system(1.1, kShort, {});
  EXPECT_GT(mean_in_system(1.1, kLong, {}), 3 * shorter);
}

}  // namespace
}  // namespace tokenyard
