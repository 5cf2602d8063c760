// Turns of a session on the real engine: a prompt that goes on from an earlier output finds its KV.

#include <gtest/gtest.h>

#include "tests/parity/engine_runs.hpp"

namespace tokenyard::test {
namespace {

constexpr std::int64_t kBlockSize = 8;

EngineJob turn(std::vector<Token> prompt, std::int64_t output, bool named) {
  EngineJob job;
  job.request.prompt = std::move(prompt);
  job.request.params.temperature = 0.8;
  job.request.seed = 5;
  job.request.forced_tokens = {output};
  if (named) job.request.content_start = chain_of(TenantId{});
  return job;
}

EngineSetting caching() {
  EngineSetting setting;
  setting.server.limits.max_model_len = 512;
  setting.server.limits.chunk_tokens = 24;
  setting.server.kv.block_size = kBlockSize;
  setting.server.kv.device_blocks = 40;
  setting.server.kv.prefix_caching = true;
  return setting;
}

class Session : public testing::Test {
 protected:
  /// A first turn of 20 tokens that says 30, and a second one a second later that goes on from it.
  std::vector<EngineJob> turns(bool named) {
    std::vector<Token> prompt;
    for (Token token = 0; token < 20; ++token) prompt.push_back(token * 7 % 512);
    std::vector<EngineJob> jobs = {turn(prompt, 30, named)};
    const auto said = serve_alone(model_, jobs).front().outputs.front().tokens;
    prompt.insert(prompt.end(), said.begin(), said.end());
    prompt.insert(prompt.end(), {1, 2, 3});
    jobs.push_back(turn(prompt, 20, named));
    jobs.back().arrival_us = 1'000'000;
    return jobs;
  }

  EngineModel model_{"random:llama-tiny", "f32", 2};
};

// Would catch: output blocks that get no name, one too early or late, or one over other tokens: the
// second turn would compute its first turn again, or go on from what it never said.
TEST_F(Session, TheNextTurnGoesOnFromWhatWasSaid) {
  const auto jobs = turns(true);
  const auto outcomes = serve_on_engine(model_, jobs, caching());
  // The last token that is said is not computed, so 49 tokens are there, in 6 full blocks.
  EXPECT_EQ(outcomes[0].facts.cached_tokens, 0);
  EXPECT_EQ(outcomes[1].facts.cached_tokens, 48);
  const auto alone = serve_alone(model_, jobs);
  for (std::size_t i = 0; i < jobs.size(); ++i) EXPECT_TRUE(outcomes[i].same_as(alone[i])) << i;
}

// Would catch: a hit on an output that was not said, because its first tokens are alike.
TEST_F(Session, AnotherHistoryIsFoundAsFarAsItIsTheSame) {
  auto jobs = turns(true);
  Token& changed = jobs[1].request.prompt[33];
  changed = changed == 0 ? 1 : 0;
  const auto outcomes = serve_on_engine(model_, jobs, caching());
  EXPECT_EQ(outcomes[1].facts.cached_tokens, 32);
  EXPECT_TRUE(outcomes[1].same_as(serve_alone(model_, jobs)[1]));
}

// Would catch: names for the outputs of a trace, with which the engine would decide otherwise than
// the pure simulation, which does not know them.
TEST_F(Session, WhatIsNotNamedIsFoundByItsPromptAlone) {
  const auto outcomes = serve_on_engine(model_, turns(false), caching());
  EXPECT_EQ(outcomes[1].facts.cached_tokens, 16);
}

}  // namespace
}  // namespace tokenyard::test
