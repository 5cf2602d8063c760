// Copies that fail, and copies that crawl: blocks of one token, 10 ms an iteration, 2 ms a block.
// An executor watches the contents.

#include <gtest/gtest.h>

#include "tests/scenarios/scenario.hpp"
#include "tests/support/content_executor.hpp"

namespace tokenyard::test {
namespace {

ServerSettings swapping(std::int64_t blocks) {
  ServerSettings settings = pool_of(blocks);
  settings.kv.evict = Evict::swap;
  settings.kv.host_blocks = 100;
  return settings;
}

Outcome watched(const std::vector<Job>& jobs, const ServerSettings& settings,
                ContentOptions options, Policy* policy = nullptr) {
  static const IntegerCost cost({.iteration = 10ms, .copy_block = 2ms});
  const auto fcfs = make_policy("fcfs");
  return simulate(jobs, policy == nullptr ? *fcfs : *policy, cost, settings, true, nullptr,
                  checking_content(jobs, settings, std::move(options)));
}

std::function<bool(CopyId)> only(std::uint64_t copy) {
  return [copy](CopyId id) { return index(id) == copy; };
}

/// In eleven blocks the last of them is copied out at 20 and back at 46.
std::vector<Job> three_jobs() {
  return {{.prompt_tokens = 3, .output_tokens = 4},
          {.prompt_tokens = 3, .output_tokens = 4},
          {.prompt_tokens = 3, .output_tokens = 2}};
}

// Would catch: a copy out that failed and is believed: 2 must compute its three tokens and the
// fourth again. The blocks are free when the copy has ended, failed or not.
TEST(CopyFaults, GivenACopyOutThatFailsThenItsKvIsComputedAgain) {
  const Outcome run = watched(three_jobs(), swapping(11), {.copy_fails = only(0)});
  EXPECT_EQ(plan(run),
            (Lines{"0: 0+3 1+3 2+3", "10: 0+1 1+1", "26: 0+1 1+1", "36: 0+1", "46: 1+1 2+4"}));
  EXPECT_EQ(run.requests[2].recomputed_tokens, 3);
  EXPECT_EQ(run.requests[2].output_tokens, 2);
}

// Would catch: a copy back that failed and is believed: 2 would run at 56 on blocks without
// content.
TEST(CopyFaults, GivenACopyBackThatFailsThenItsKvIsComputedAgain) {
  const Outcome run = watched(three_jobs(), swapping(11), {.copy_fails = only(1)});
  EXPECT_EQ(plan(run), (Lines{"0: 0+3 1+3 2+3", "10: 0+1 1+1", "26: 0+1 1+1", "36: 0+1", "46: 1+1",
                              "56: 2+4"}));
  EXPECT_EQ(run.requests[2].recomputed_tokens, 3);
  EXPECT_EQ(run.requests[2].swaps_in, 1);
}

// Would catch: a policy that is not told that the KV is lost, or is told twice.
TEST(CopyFaults, GivenAFailedCopyThenThePolicyIsTold) {
  for (const std::uint64_t copy : {0u, 1u}) {
    LoggedFcfs policy;
    watched(three_jobs(), swapping(11), {.copy_fails = only(copy)}, &policy);
    const auto told = std::ranges::count_if(
        policy.log, [](const std::string& line) { return line.ends_with("evict 2"); });
    EXPECT_EQ(told, 2) << "when it gave way, and when copy " << copy << " failed";
  }
}

// Would catch: a fault of one that disturbs the others: 0 and 1 get each of their tokens as if
// nothing had happened.
TEST(CopyFaults, GivenAFailedCopyThenTheOthersDoNotNotice) {
  const Outcome healthy = watched(three_jobs(), swapping(11), {});
  const Outcome run = watched(three_jobs(), swapping(11), {.copy_fails = only(0)});
  for (const std::size_t other : {0u, 1u}) {
    EXPECT_EQ(run.requests[other].ended, healthy.requests[other].ended);
    EXPECT_EQ(phases(run, other), phases(healthy, other));
    EXPECT_EQ(run.requests[other].output_tokens, 4);
  }
}

// Would catch: samples whose sharing or outputs are lost with their KV: both go on from the prompt
// that is computed once and their own tokens, and the run is as long as if they had been evicted.
TEST(CopyFaults, GivenSamplesThenBothAreComputedAgain) {
  const std::vector<Job> jobs = {{.prompt_tokens = 5, .output_tokens = 5},
                                 {.prompt_tokens = 4, .sample_tokens = {4, 4}}};
  for (const std::uint64_t copy : {0u, 1u}) {
    const Outcome run = watched(jobs, swapping(12), {.copy_fails = only(copy)});
    EXPECT_EQ(run.requests[1].swaps_out, 1);
    EXPECT_EQ(run.requests[1].sequence_tokens, 8);
    EXPECT_GT(run.requests[1].recomputed_tokens, 0);
  }
}

// Would catch: a server that gives up, or tries for ever, where no copy ever succeeds.
TEST(CopyFaults, GivenEveryCopyFailsThenAllStillEnd) {
  std::vector<Job> jobs;
  for (int i = 0; i < 8; ++i) jobs.push_back({.prompt_tokens = 4, .output_tokens = 12});
  const Outcome run = watched(jobs, swapping(20), {.copy_fails = [](CopyId) { return true; }});
  for (const RequestFacts& facts : run.requests) {
    EXPECT_EQ(facts.end, End::finished);
    EXPECT_EQ(facts.output_tokens, 12);
    EXPECT_EQ(facts.swaps_in, 0);
  }
}

// Would catch: a batch that waits for a crawling copy although its blocks would do. In blocks of
// two tokens the KV of 2 goes out from 10 to 410: 0, which lacks a block, waits, but 1 runs on what
// it has, and from 20 what 1 has left is enough for 0. 2 comes back in another 400 ms.
TEST(CopyFaults, GivenACrawlingCopyThenWhoHasBlocksGoesOn) {
  ServerSettings settings = swapping(6);
  settings.kv.block_size = 2;
  const Outcome run = watched({{.prompt_tokens = 4, .output_tokens = 3},
                               {.prompt_tokens = 3, .output_tokens = 2},
                               {.prompt_tokens = 3, .output_tokens = 2}},
                              settings, {.copy_slowness = 100});
  EXPECT_EQ(plan(run), (Lines{"0: 0+4 1+3 2+3", "10: 1+1", "20: 0+1", "30: 0+1", "810: 2+1"}));
  EXPECT_EQ(run.requests[2].recomputed_tokens, 0);
}

}  // namespace
}  // namespace tokenyard::test
