// Whatever memory pressure does to a request, it says what it would have said alone. An executor
// derives each token from all that stands in the sequence's blocks before it.

#include <gtest/gtest.h>

#include "tests/scenarios/scenario.hpp"
#include "tests/support/content_executor.hpp"

namespace tokenyard::test {
namespace {

struct Watched {
  Outcome run;
  Histories histories;
};

Watched serve_watched(const std::vector<Job>& jobs, const std::string& policy,
                      const ServerSettings& settings) {
  static const IntegerCost cost({.iteration = 10ms, .copy_block = 3ms});
  Watched watched;
  watched.run = simulate(jobs, policy, cost, settings, true, nullptr,
                         checking_content(jobs, settings, {.histories = &watched.histories}));
  return watched;
}

/// What each says when it is alone on a server whose memory is never short.
Histories alone(std::vector<Job> jobs) {
  for (std::size_t i = 0; i < jobs.size(); ++i) jobs[i].arrival += 1000s * static_cast<int>(i);
  return serve_watched(jobs, "fcfs", ample()).histories;
}

/// `count` requests that come 5 ms apart. The first `alike` tokens of their prompts of some 20 are
/// the same, so that prefixes are found and shared.
std::vector<Job> conversations(int count, std::int64_t output_tokens, std::int64_t alike = 9) {
  std::vector<Job> jobs;
  for (int i = 0; i < count; ++i) {
    Job job{.arrival = at_ms(5 * i), .prompt_tokens = 18 + i % 5, .output_tokens = output_tokens};
    for (std::int64_t at = 0; at < job.prompt_tokens; ++at) {
      const auto id = static_cast<std::uint64_t>(at < alike ? at : i + alike);
      job.prompt_ids.push_back(id);
    }
    jobs.push_back(job);
  }
  return jobs;
}

ServerSettings tight(std::int64_t tokens, std::int64_t block_size, Evict evict, bool caching) {
  ServerSettings settings;
  settings.kv.block_size = block_size;
  settings.kv.device_blocks = (tokens + block_size - 1) / block_size;
  settings.kv.host_blocks = 2 * settings.kv.device_blocks;
  settings.kv.evict = evict;
  settings.kv.prefix_caching = caching;
  return settings;
}

/// The KV that was lost or moved: without any, a test of preemption shows nothing.
std::int64_t interruptions(const Outcome& run) {
  std::int64_t count = 0;
  for (const RequestFacts& facts : run.requests) {
    count += facts.swaps_in + (facts.recomputed_tokens > 0 ? 1 : 0);
  }
  return count;
}

/// The sequences "request.sequence" that say something else here than there.
Lines differing(const Histories& here, const Histories& there) {
  Lines names;
  for (const auto& [sequence, history] : there) {
    const auto found = here.find(sequence);
    if (found != here.end() && found->second == history) continue;
    names.push_back(fmt::format("{}.{}", sequence.first, sequence.second));
  }
  if (here.size() != there.size()) names.push_back("another number of sequences");
  return names;
}

struct Memory {
  Evict evict;
  bool caching;
};

class SameOutput : public testing::TestWithParam<Memory> {
 protected:
  ServerSettings settings(std::int64_t tokens, std::int64_t block_size) const {
    return tight(tokens, block_size, GetParam().evict, GetParam().caching);
  }
};

// Would catch: tokens lost, doubled or computed from the wrong context when a request is preempted:
// ten of 1044 tokens each in a pool of 2400, where at most two can be long at once.
TEST_P(SameOutput, GivenTenSequencesOf1024TokensInAPoolForTwoThenEachSaysWhatItWouldAlone) {
  const auto jobs = conversations(10, 1024);
  const Watched crowd = serve_watched(jobs, "fcfs", settings(2400, 16));
  EXPECT_GE(interruptions(crowd.run), 8);
  EXPECT_EQ(differing(crowd.histories, alone(jobs)), Lines());
}

// Would catch: the same where prompts, and what is computed again, go in chunks of whatever size.
TEST_P(SameOutput, GivenBudgetsOf2And3And256ThenEachSaysWhatItWouldAlone) {
  const auto jobs = conversations(8, 60);
  const Histories expected = alone(jobs);
  for (const std::int64_t budget : {2, 3, 256}) {
    ServerSettings chunked = settings(120, 4);
    chunked.limits.max_num_batched_tokens = budget;
    chunked.limits.chunk_tokens = budget;
    const Watched crowd = serve_watched(jobs, "fcfs", chunked);
    EXPECT_GT(interruptions(crowd.run), 0) << budget;
    EXPECT_EQ(differing(crowd.histories, expected), Lines()) << budget;
  }
}

// Would catch: the same under policies that interrupt requests by themselves, in the middle of
// their outputs and again and again.
TEST_P(SameOutput, GivenPoliciesThatPreemptThenEachSaysWhatItWouldAlone) {
  auto jobs = conversations(12, 50);
  for (std::size_t i = 0; i < jobs.size(); ++i) jobs[i].output_tokens -= 4 * static_cast<int>(i);
  const Histories expected = alone(jobs);
  for (const char* policy : {"srpt", "mlfq", "skip-join-mlfq", "fcfs guarded by skips=2"}) {
    const Watched crowd = serve_watched(jobs, policy, settings(150, 4));
    EXPECT_GT(interruptions(crowd.run), 0) << policy;
    EXPECT_EQ(differing(crowd.histories, expected), Lines()) << policy;
  }
}

// Would catch: a cached block that is found although its content has been overwritten: in three
// blocks, of which the first holds what all prompts have in common, each request overwrites what
// others left.
TEST_P(SameOutput, GivenAPoolOfThreeBlocksThenEachSaysWhatItWouldAlone) {
  const auto jobs = conversations(10, 20, 17);
  const Watched crowd = serve_watched(jobs, "fcfs", settings(48, 16));
  const auto found = std::ranges::count_if(
      crowd.run.requests, [](const RequestFacts& facts) { return facts.cached_tokens > 0; });
  EXPECT_EQ(found, GetParam().caching ? 9 : 0);
  EXPECT_EQ(differing(crowd.histories, alone(jobs)), Lines());
}

// Would catch: samples and beams whose outputs change when their request is evicted as one: copied
// blocks that are shared wrongly when they return, own tokens put after the prompt of another.
TEST_P(SameOutput, GivenSamplesAndBeamsThenEachSaysWhatItWouldAlone) {
  auto jobs = conversations(9, 24);
  for (std::size_t i = 0; i < jobs.size(); i += 3) jobs[i].beams = 3;
  for (std::size_t i = 1; i < jobs.size(); i += 3) jobs[i].sample_tokens = {24, 10, 17};
  const Watched crowd = serve_watched(jobs, "fcfs", settings(140, 4));
  EXPECT_GT(interruptions(crowd.run), 0);
  EXPECT_EQ(differing(crowd.histories, alone(jobs)), Lines());
}

std::string memory_name(const testing::TestParamInfo<Memory>& info) {
  return std::string(info.param.evict == Evict::swap ? "Swap" : "Recompute") +
         (info.param.caching ? "WithPrefixCaching" : "");
}

INSTANTIATE_TEST_SUITE_P(Memory, SameOutput,
                         testing::Values(Memory{Evict::recompute, false},
                                         Memory{Evict::recompute, true}, Memory{Evict::swap, false},
                                         Memory{Evict::swap, true}),
                         memory_name);

// Would catch: a comparison that finds everything equal: another tenant's same prompt, and one
// more token, make another history.
TEST(SameOutputItself, TellsDifferentOutputsApart) {
  const std::vector<Job> jobs = conversations(2, 5);
  std::vector<Job> longer = jobs, of_another = jobs;
  longer[1].output_tokens = 6;
  of_another[0].tenant = TenantId{1};
  EXPECT_EQ(differing(alone(jobs), alone(jobs)), Lines());
  EXPECT_EQ(differing(alone(jobs), alone(longer)), Lines{"1.0"});
  EXPECT_EQ(differing(alone(jobs), alone(of_another)), Lines{"0.0"});
  EXPECT_EQ(alone(jobs).at({1, 0}).size(), 19u + 5u) << "the last token is there too";
}

}  // namespace
}  // namespace tokenyard::test
