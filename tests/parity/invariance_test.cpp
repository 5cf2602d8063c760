// What a request says does not depend on how it was scheduled: neither a token nor a bit of a
// logit.

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "engine/kernels/cpu_features.hpp"
#include "tests/parity/engine_runs.hpp"

namespace tokenyard::test {
namespace {

constexpr std::size_t kRequests = 64;

EngineModel& tiny_model(int threads) {
  static EngineModel one("random:llama-tiny", "f32", 1);
  static EngineModel two("random:llama-tiny", "f32", 2);
  return threads == 1 ? one : two;
}

/// Outputs of at least 16 tokens: what is let in outgrows the pool.
const std::vector<EngineJob>& jobs() {
  static const auto drawn = [] {
    auto growing = engine_jobs(kRequests, 7);
    for (EngineJob& job : growing) {
      std::int64_t& tokens = job.request.forced_tokens.front();
      tokens = std::max<std::int64_t>(tokens, 16);
    }
    return growing;
  }();
  return drawn;
}

const std::vector<EngineOutcome>& alone() {
  static const auto outcomes = serve_alone(tiny_model(1), jobs());
  return outcomes;
}

/// A pool of 96 tokens: two or three requests fill it, and the longest one almost alone.
EngineSetting crowded(const std::string& policy, Evict evict, std::int64_t block_size,
                      bool chunks) {
  EngineSetting setting;
  setting.policy = policy;
  setting.server.limits.max_model_len = 512;
  setting.server.limits.max_num_seqs = 24;
  setting.server.limits.chunk_tokens = chunks ? 7 : 0;
  setting.server.kv.block_size = block_size;
  setting.server.kv.device_blocks = 96 / block_size;
  setting.server.kv.host_blocks = 4096 / block_size;
  setting.server.kv.evict = evict;
  setting.server.kv.proactive_swap = evict == Evict::swap && chunks;
  return setting;
}

void expect_as_alone(const std::vector<EngineOutcome>& outcomes) {
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    EXPECT_EQ(outcomes[i].facts.end, End::finished) << "request " << i;
    EXPECT_TRUE(outcomes[i].same_as(alone()[i])) << "request " << i;
  }
}

/// Those that left the running batch unfinished.
std::set<std::size_t> preempted(const std::vector<EngineOutcome>& outcomes) {
  std::set<std::size_t> some;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (outcomes[i].facts.preemptions > 0) some.insert(i);
  }
  return some;
}

using Case = std::tuple<const char*, Evict, std::int64_t, int, bool>;

class Invariance : public testing::TestWithParam<Case> {};

// Would catch: a sum whose order depends on the batch, the chunk, the block size or the number of
// threads; KV that is lost, mixed up or computed otherwise the second time; a random number that is
// drawn from the batch's stream.
TEST_P(Invariance, EachRequestSaysWhatItSaysAlone) {
  const auto [policy, evict, block_size, threads, chunks] = GetParam();
  const auto outcomes =
      serve_on_engine(tiny_model(threads), jobs(), crowded(policy, evict, block_size, chunks));
  expect_as_alone(outcomes);
  // The first of a fixed order outranks all others, so under fcfs and srpt some are never
  // preempted in any one case; the next test sees that each is in another.
  const bool feedback = std::string(policy).ends_with("mlfq");
  EXPECT_GE(preempted(outcomes).size(), feedback ? kRequests : kRequests / 4);
  std::size_t lost_kv = 0;
  for (const EngineOutcome& outcome : outcomes) {
    lost_kv += outcome.facts.recomputed_tokens > 0 || outcome.facts.swaps_out > 0 ? 1 : 0;
  }
  EXPECT_GE(lost_kv, feedback ? kRequests - 1 : kRequests / 8);
}

INSTANTIATE_TEST_SUITE_P(Engine, Invariance,
                         testing::Combine(testing::Values("fcfs", "mlfq", "skip-join-mlfq", "srpt"),
                                          testing::Values(Evict::recompute, Evict::swap),
                                          testing::Values(8, 16, 32), testing::Values(1, 2),
                                          testing::Bool()));

// Would catch: requests that the cases above never put to the test.
TEST(InvarianceCases, EveryRequestIsPreemptedUnderEveryPolicy) {
  for (const char* policy : {"fcfs", "mlfq", "skip-join-mlfq", "srpt"}) {
    std::set<std::size_t> seen;
    for (const Evict evict : {Evict::recompute, Evict::swap}) {
      for (const std::int64_t block_size : {8, 16, 32}) {
        for (const bool chunks : {false, true}) {
          seen.merge(preempted(
              serve_on_engine(tiny_model(1), jobs(), crowded(policy, evict, block_size, chunks))));
        }
      }
    }
    EXPECT_EQ(seen.size(), kRequests) << policy;
  }
}

// Would catch: an architecture whose positions or norms see the batch.
TEST(InvarianceCases, HoldsForEveryArchitecture) {
  for (const char* name : {"gpt2-tiny", "opt-tiny", "bloom-tiny", "mpt-tiny"}) {
    EngineModel model(std::string("random:") + name, "f32", 2);
    const auto few = engine_jobs(16, 11);
    const auto expected = serve_alone(model, few);
    const auto outcomes =
        serve_on_engine(model, few, crowded("skip-join-mlfq", Evict::swap, 8, true));
    for (std::size_t i = 0; i < few.size(); ++i) {
      EXPECT_TRUE(outcomes[i].same_as(expected[i])) << name << " request " << i;
    }
  }
}

// Would catch: the tiers of bf16 rounding by the batch, or pages of the other element by the page.
TEST(InvarianceCases, HoldsForEveryTier) {
  const std::pair<const char*, const char*> tiers[] = {
      {"bf16", "auto"}, {"bf16-widened", "auto"}, {"f32", "bf16"}, {"bf16", "f32"}};
  for (const auto& [dtype, pages] : tiers) {
    EngineModel model("random:llama-tiny", dtype, 2, pages);
    const auto few = engine_jobs(24, 13);
    const auto expected = serve_alone(model, few);
    const auto outcomes = serve_on_engine(model, few, crowded("mlfq", Evict::recompute, 16, true));
    for (std::size_t i = 0; i < few.size(); ++i) {
      EXPECT_TRUE(outcomes[i].same_as(expected[i]))
          << dtype << ", pages " << pages << ", request " << i;
    }
  }
}

// Would catch: a block found by its content that holds another, or that is computed otherwise
// behind a prefix than from the beginning.
TEST(InvarianceCases, HoldsWithPrefixCaching) {
  auto alike = engine_jobs(kRequests, 19);
  for (std::size_t i = 0; i < alike.size(); ++i) {
    auto& prompt = alike[i].request.prompt;
    const auto& common = alike[i % 3].request.prompt;
    prompt.insert(prompt.begin(), common.begin(), common.end());
  }
  const auto expected = serve_alone(tiny_model(1), alike);
  for (const char* policy : {"fcfs", "srpt"}) {
    EngineSetting setting = crowded(policy, Evict::recompute, 8, false);
    setting.server.kv.prefix_caching = true;
    setting.server.kv.device_blocks = 30;
    const auto outcomes = serve_on_engine(tiny_model(2), alike, setting);
    std::int64_t found = 0;
    for (std::size_t i = 0; i < alike.size(); ++i) {
      EXPECT_TRUE(outcomes[i].same_as(expected[i])) << policy << " request " << i;
      found += outcomes[i].facts.cached_tokens;
    }
    EXPECT_GT(found, 100) << "nothing was found in the cache";
  }
}

// Would catch: samples or beams that read each other's blocks, or lose their way in an eviction.
TEST(InvarianceCases, HoldsForParallelSamplesAndBeams) {
  auto few = engine_jobs(16, 17);
  for (std::size_t i = 0; i < few.size(); ++i) {
    SamplingParams& params = few[i].request.params;
    if (i % 3 == 1) {
      params.n = 3;
      params.temperature = 0.8;
    }
    if (i % 3 != 2) continue;
    params = SamplingParams();
    params.max_tokens.reset();
    params.temperature = 0;
    params.beam_width = 3;
  }
  EngineSetting setting = crowded("fcfs", Evict::swap, 8, false);
  setting.server.kv.device_blocks = 48;
  const auto expected = serve_alone(tiny_model(1), few);
  for (const Evict evict : {Evict::recompute, Evict::swap}) {
    setting.server.kv.evict = evict;
    const auto outcomes = serve_on_engine(tiny_model(2), few, setting);
    for (std::size_t i = 0; i < few.size(); ++i) {
      EXPECT_TRUE(outcomes[i].same_as(expected[i])) << "request " << i;
    }
  }
}

// Would catch: a comparison that cannot see a wrong kernel. (Without fused multiply-adds every sum
// rounds otherwise, which is as little as a kernel can be wrong by.)
TEST(InvarianceCases, AKernelThatRoundsOtherwiseIsSeen) {
  if (cpu_level() == CpuLevel::baseline) GTEST_SKIP() << "there is but one kind of kernels here";
  const std::vector<EngineOutcome>& expected = alone();
  const CpuLevelCap cap(CpuLevel::baseline);
  EngineModel other("random:llama-tiny", "f32", 1);
  const std::vector<EngineJob> few(jobs().begin(), jobs().begin() + 4);
  const auto outcomes = serve_alone(other, few);
  for (std::size_t i = 0; i < few.size(); ++i) EXPECT_FALSE(outcomes[i].same_as(expected[i]));
}

// Would catch: tokens that depend on real time, or on which thread gets there first.
TEST(InvarianceCases, HoldsOnTheWallClock) {
  for (const char* policy : {"fcfs", "mlfq", "skip-join-mlfq", "srpt"}) {
    EngineSetting setting = crowded(policy, Evict::swap, 16, true);
    setting.live = true;
    expect_as_alone(serve_on_engine(tiny_model(2), jobs(), setting));
  }
}

}  // namespace
}  // namespace tokenyard::test
