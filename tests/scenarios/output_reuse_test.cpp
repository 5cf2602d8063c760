// Outputs that are found again: a conversation goes on from what was said, in blocks of four tokens
// whose contents an executor watches.

#include <gtest/gtest.h>

#include "tests/scenarios/scenario.hpp"
#include "tests/support/content_executor.hpp"

namespace tokenyard::test {
namespace {

ServerSettings caching(std::int64_t blocks) {
  ServerSettings settings;
  settings.kv.block_size = 4;
  settings.kv.device_blocks = blocks;
  settings.kv.prefix_caching = true;
  return settings;
}

Outcome watched(const std::vector<Job>& jobs, const ServerSettings& settings) {
  return simulate(jobs, "fcfs", ten_ms(), settings, true, nullptr,
                  checking_content(jobs, settings));
}

/// The prompt of `earlier`, the first `outputs` tokens that were said to it, and one token more.
std::vector<std::uint64_t> gone_on(const std::vector<std::uint64_t>& earlier, int outputs) {
  std::vector<std::uint64_t> ids = earlier;
  BlockHash so_far = chain_of(TenantId{});
  for (const std::uint64_t id : ids) so_far = chain(so_far, id);
  for (int i = 0; i < outputs; ++i) {
    ids.push_back(greedy_token(so_far));
    so_far = chain(so_far, ids.back());
  }
  ids.push_back(7);
  return ids;
}

// Would catch: blocks of outputs that have no name: of prompt 3 and output 5 two blocks are full.
TEST(OutputReuse, GivenAConversationThenItsNextTurnStartsBehindTheLastAnswer) {
  const std::vector<std::uint64_t> said = {1, 2, 3};
  const Outcome run = watched({{.prompt_tokens = 3, .output_tokens = 6, .prompt_ids = said},
                               {.arrival = at_ms(100),
                                .prompt_tokens = 9,
                                .output_tokens = 2,
                                .prompt_ids = gone_on(said, 5)}},
                              caching(10));
  EXPECT_EQ(run.requests[1].cached_tokens, 8);
}

// Would catch: contents that are booked under the wrong block. Request 1 is evicted at 10 with
// three of its four tokens computed, so its first block fills up when they are computed again; the
// next content that it reports is that of its second block.
TEST(OutputReuse, GivenABlockFilledAfterAnEvictionThenItIsFoundUnderItsOwnName) {
  const std::vector<std::uint64_t> said = {1, 2, 3};
  const Outcome run = watched({{.prompt_tokens = 8, .output_tokens = 2},
                               {.prompt_tokens = 3, .output_tokens = 6, .prompt_ids = said},
                               {.arrival = at_ms(100),
                                .prompt_tokens = 9,
                                .output_tokens = 2,
                                .prompt_ids = gone_on(said, 5)}},
                              caching(3));
  EXPECT_EQ(plan(run), (Lines{"0: 0+8 1+3", "10: 0+1", "20: 1+4", "30: 1+1", "40: 1+1", "50: 1+1",
                              "60: 1+1", "100: 2+1", "110: 2+1"}));
  EXPECT_EQ(run.requests[2].cached_tokens, 8);
}

// Would catch: contents that are booked under the wrong block: while there were two samples nobody
// named theirs, so what the last of them says later has no beginning that could be found.
TEST(OutputReuse, GivenTheLastOfSeveralSamplesThenWhatItSaysIsNotFound) {
  const std::vector<std::uint64_t> said = {1, 2, 3, 4};
  std::vector<Job> jobs = {
      {.prompt_tokens = 4, .sample_tokens = {6, 12}, .prompt_ids = said},
      {.prompt_tokens = 4, .output_tokens = 12, .prompt_ids = said},
  };
  jobs[1].arrival = at_ms(200);
  const Outcome run = watched(jobs, caching(12));
  EXPECT_EQ(run.requests[0].cached_tokens, 0);
  EXPECT_EQ(run.requests[1].cached_tokens, 0) << "its last token is computed in any case";
  EXPECT_EQ(run.requests[0].sequence_tokens, 18);
  EXPECT_EQ(run.decisions.back().facts.kv_blocks_cached, 1)
      << "of the samples' blocks only that of the prompt has a name";
}

}  // namespace
}  // namespace tokenyard::test
