// No sequence ever attends to what is not its own history.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/contract/policies_of_catalogue.hpp"
#include "tests/support/content_executor.hpp"
#include "tests/support/crowded_jobs.hpp"
#include "tests/support/integer_cost.hpp"

namespace tokenyard::test {
namespace {

using namespace std::chrono_literals;

/// Copies that take several iterations, so that much happens while blocks move.
const IntegerCost& slow_copies() {
  static const IntegerCost model({.iteration = 1ms, .prefill_token = 10us, .copy_block = 900us});
  return model;
}

bool keeps_contents(const std::string& policy, bool chunks) {
  return rc::check([&] {
    const auto jobs = crowded_jobs();
    ServerSettings settings = crowded_settings(jobs);
    if (!chunks) settings.limits.chunk_tokens = 0;
    const int depth = *rc::gen::element(1, 1, 2, 3);
    simulate(jobs, policy, slow_copies(), settings, true, nullptr,
             checking_content(jobs, settings, {.depth = depth}));
  });
}

class ContentSafety : public testing::TestWithParam<std::string> {};

// Would catch: a request that reads another's KV or none: a shared block that is written without a
// copy, a copy left out or made from the wrong block, a block given out while a copy still reads
// it, a request that runs before its KV is back, a table put together in the wrong order, a prefix
// found under the wrong name (also another tenant's), a beam that goes on from the wrong parent.
TEST_P(ContentSafety, EverySequenceReadsItsOwnHistoryWhateverTheSettings) {
  EXPECT_TRUE(keeps_contents(GetParam(), true));
}

class TurnTakingContentSafety : public testing::TestWithParam<std::string> {};

// Would catch: the same, where requests are interrupted as often as can be.
TEST_P(TurnTakingContentSafety, EverySequenceReadsItsOwnHistoryWhateverTheSettings) {
  EXPECT_TRUE(keeps_contents(GetParam(), false));
}

INSTANTIATE_TEST_SUITE_P(Catalogue, ContentSafety, testing::ValuesIn(policies_under_test()));
INSTANTIATE_TEST_SUITE_P(Catalogue, TurnTakingContentSafety,
                         testing::ValuesIn(turn_taking_policies()));

/// Serves `jobs` first come, first served, with blocks of four tokens, and watches the contents.
void serve_watched(const std::vector<Job>& jobs, const KvSettings& kv, ContentOptions options) {
  ServerSettings settings;
  settings.kv = kv;
  settings.kv.block_size = 4;
  simulate(jobs, "fcfs", slow_copies(), settings, true, nullptr,
           checking_content(jobs, settings, std::move(options)));
}

// Would catch: a watch that sees nothing: two samples go on from a prompt that ends within a block,
// and the first to write there has been given a block of its own that nobody filled.
TEST(ContentExecutor, FindsThatASharedBlockWasNotCopiedBeforeItWasWritten) {
  const std::vector<Job> jobs = {{.prompt_tokens = 6, .sample_tokens = {3, 3}}};
  EXPECT_NO_THROW(serve_watched(jobs, {.device_blocks = 9}, {}));
  EXPECT_THROW(serve_watched(jobs, {.device_blocks = 9}, {.forgets_block_copies = true}),
               WrongContent);
}

// Would catch: the same: request 1 gives its blocks to 0, is copied out and comes back to blocks
// into which nothing was copied.
TEST(ContentExecutor, FindsThatARequestDidNotComeBackFromTheHost) {
  const std::vector<Job> jobs = {{.prompt_tokens = 7, .output_tokens = 4},
                                 {.prompt_tokens = 7, .output_tokens = 4}};
  const KvSettings kv = {.device_blocks = 4, .host_blocks = 4, .evict = Evict::swap};
  EXPECT_NO_THROW(serve_watched(jobs, kv, {}));
  EXPECT_THROW(serve_watched(jobs, kv, {.forgets_copies_back = true}), WrongContent);
}

// Would catch: a watch that cries wolf: what a failed copy did not bring is computed again, so
// everybody still reads what is their own.
TEST(ContentExecutor, IsContentWhereTheServerHearsOfAFailedCopy) {
  const std::vector<Job> jobs = {{.prompt_tokens = 7, .output_tokens = 4},
                                 {.prompt_tokens = 7, .output_tokens = 4}};
  const KvSettings kv = {.device_blocks = 4, .host_blocks = 4, .evict = Evict::swap};
  const auto fails = [](CopyId) { return true; };
  EXPECT_NO_THROW(serve_watched(jobs, kv, {.depth = 2, .copy_fails = fails}));
}

}  // namespace
}  // namespace tokenyard::test
