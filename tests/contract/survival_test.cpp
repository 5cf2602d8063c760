// Every policy under every mixture of settings: whatever it does, the server must not lose, starve
// or double a request.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <numeric>
#include <set>
#include <stdexcept>

#include "tests/contract/policies_of_catalogue.hpp"
#include "tests/support/integer_cost.hpp"
#include "tests/support/random_jobs.hpp"
#include "tests/support/simulation.hpp"

namespace tokenyard::test {
namespace {

bool fits(const Job& job, const ServerSettings& settings) {
  const std::int64_t context = settings.limits.max_model_len;
  const std::int64_t tokens = job.prompt_tokens + job.longest();
  if (context > 0 && tokens > context) return false;
  if (job.width() > settings.limits.max_num_seqs) return false;
  if (job.width() > settings.limits.max_num_batched_tokens) return false;
  // The full blocks of the prompt once, all else for each sequence.
  const std::int64_t size = settings.kv.block_size;
  const std::int64_t shared = job.prompt_tokens / size;
  return shared + job.width() * ((tokens + size - 1) / size - shared) <= settings.kv.device_blocks;
}

/// The facts of one request against what was asked for.
void expect_right(const Job& job, const RequestFacts& facts, bool fits_pool) {
  const Duration phases =
      std::accumulate(std::begin(facts.phases), std::end(facts.phases), Duration{0});
  RC_ASSERT(phases == facts.ended - facts.request.arrival);
  RC_ASSERT((facts.end == End::rejected) == !fits_pool);
  RC_ASSERT((facts.end != End::cancelled || job.cancel_after.has_value()));
  if (facts.end == End::finished) {
    RC_ASSERT(facts.output_tokens == job.longest());
    RC_ASSERT(facts.sequence_tokens == job.all_tokens());
  }
  if (facts.end == End::rejected) RC_ASSERT(facts.output_tokens == 0);
  RC_ASSERT(facts.output_tokens <= job.longest());
  RC_ASSERT((facts.first_token != kNever) == (facts.output_tokens > 0));
}

/// How many requests compute more than one token a sequence.
std::size_t prefilled(const Decision& decision) {
  std::set<std::size_t> requests;
  for (std::size_t i = 0; i < decision.requests.size(); ++i) {
    if (decision.new_tokens[i] > 1) requests.insert(decision.requests[i]);
  }
  return requests.size();
}

/// Each iteration against the limits.
void expect_within(const Limits& limits, const KvSettings& kv, const Decision& decision) {
  RC_ASSERT(static_cast<std::int64_t>(decision.requests.size()) <= limits.max_num_seqs);
  RC_ASSERT(decision.kv_blocks_used <= kv.device_blocks);
  if (limits.static_batching) return;
  const auto tokens =
      std::accumulate(decision.new_tokens.begin(), decision.new_tokens.end(), std::int64_t{0});
  const bool oversized = limits.chunk_tokens == 0 && prefilled(decision) == 1 &&
                         decision.load.prefill_tokens > limits.max_num_batched_tokens;
  RC_ASSERT((oversized || tokens <= limits.max_num_batched_tokens));
  if (limits.chunk_tokens > 0) {
    for (const std::int64_t chunk : decision.new_tokens) RC_ASSERT(chunk <= limits.chunk_tokens);
  }
}

/// Ends a run that goes round in circles, instead of filling the memory with decisions.
class Fuse final : public Observer {
 public:
  void decided(Time, const Iteration&, const IterationFacts&) override {
    if (++iterations_ > 100'000) throw std::runtime_error("the run goes round in circles");
  }

 private:
  int iterations_ = 0;
};

bool brings_all_to_their_end(const std::string& policy, bool chunks) {
  return rc::check([&] {
    const auto jobs =
        random_jobs({.cancellations = true, .several_sequences = true, .known_prompts = true});
    ServerSettings settings = random_settings();
    if (!chunks) settings.limits.chunk_tokens = 0;
    Fuse fuse;
    const Outcome outcome = simulate(jobs, policy, varied_cost(), settings, true, &fuse);
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      expect_right(jobs[i], outcome.requests[i], fits(jobs[i], settings));
    }
    for (const Decision& decision : outcome.decisions) {
      expect_within(settings.limits, settings.kv, decision);
    }
  });
}

class EveryPolicy : public testing::TestWithParam<std::string> {};

// Would catch: a request lost, starved for ever, finished twice or with a wrong number of tokens;
// time that vanishes from the phases; a batch over its limits; blocks lost or shared wrongly (the
// server audits its tables at every iteration); a deadlock in any mixture of settings.
TEST_P(EveryPolicy, BringsEveryRequestToItsRightEndWhateverTheSettings) {
  EXPECT_TRUE(brings_all_to_their_end(GetParam(), true));
}

class TurnTakingPolicy : public testing::TestWithParam<std::string> {};

// Would catch: the same, where requests are interrupted as often as can be.
TEST_P(TurnTakingPolicy, BringsEveryRequestToItsRightEndWhateverTheSettings) {
  EXPECT_TRUE(brings_all_to_their_end(GetParam(), false));
}

INSTANTIATE_TEST_SUITE_P(Catalogue, EveryPolicy, testing::ValuesIn(policies_under_test()));
INSTANTIATE_TEST_SUITE_P(Catalogue, TurnTakingPolicy, testing::ValuesIn(turn_taking_policies()));

}  // namespace
}  // namespace tokenyard::test
