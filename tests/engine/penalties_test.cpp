#include "engine/sampling/penalties.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <vector>

#include "sim/kernel/invariant.hpp"
#include "sim/kernel/rng.hpp"
#include "tests/engine/random_logits.hpp"

namespace tokenyard {
namespace {

// Would catch: counts of the prompt taken for counts of the output, tokens out of order or twice.
TEST(TokenCounts, CountsPromptAndOutput) {
  TokenCounts counts(std::vector<Token>{7, 3, 7});
  for (const Token token : {5, 3, 5, 9, 0}) counts.add_output(token);
  const std::vector<std::pair<Token, std::int32_t>> expected = {
      {0, 1}, {3, 1}, {5, 2}, {7, 0}, {9, 1}};
  ASSERT_EQ(counts.entries().size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(counts.entries()[i].token, expected[i].first);
    EXPECT_EQ(counts.entries()[i].in_output, expected[i].second);
  }
}

// Would catch: a copy that shares its counts, with which parallel samples would penalise each
// other.
TEST(TokenCounts, CopiesPartForGood) {
  TokenCounts one(std::vector<Token>{1});
  TokenCounts other = one;
  one.add_output(2);
  EXPECT_EQ(one.entries().size(), 2U);
  EXPECT_EQ(other.entries().size(), 1U);
}

// Would catch: a penalty of the wrong sign, for negative logits above all, the penalties in another
// order, presence counted twice, or prompt tokens penalised as output.
TEST(Penalties, FollowTheFormulas) {
  SamplingParams params;
  params.repetition_penalty = 1.3;
  params.presence_penalty = 0.5;
  params.frequency_penalty = -0.25;
  const auto before = test::random_logits(1, 50, 3.0);
  std::vector<Token> prompt;
  std::map<Token, int> output;
  Rng rng = named_stream(1, "tokens");
  for (int i = 0; i < 30; ++i) prompt.push_back(static_cast<Token>(rng() % 50));
  TokenCounts counts(prompt);
  for (int i = 0; i < 30; ++i) {
    const auto token = static_cast<Token>(rng() % 50);
    counts.add_output(token);
    ++output[token];
  }
  auto after = before;
  apply_penalties(params, counts, after);
  for (Token token = 0; token < 50; ++token) {
    const auto at = static_cast<std::size_t>(token);
    double expected = static_cast<double>(before[at]);
    const bool in_prompt = std::find(prompt.begin(), prompt.end(), token) != prompt.end();
    if (in_prompt || output.contains(token)) {
      expected = expected > 0 ? expected / 1.3 : expected * 1.3;
    }
    if (output.contains(token)) expected = expected + 0.25 * output[token] - 0.5;
    EXPECT_NEAR(after[at], expected, 1e-6) << token;
  }
}

// Would catch: a masked token that a penalty brings back, and a token outside the vocabulary that
// is written to.
TEST(Penalties, KeepToTheRow) {
  SamplingParams params;
  params.repetition_penalty = 0.5;
  params.frequency_penalty = -2.0;
  TokenCounts counts(std::vector<Token>{1});
  counts.add_output(1);
  std::vector<float> logits = {0.0F, -std::numeric_limits<float>::infinity()};
  apply_penalties(params, counts, logits);
  EXPECT_EQ(logits[1], -std::numeric_limits<float>::infinity());
  counts.add_output(2);
  EXPECT_THROW(apply_penalties(params, counts, logits), InvariantBroken);
  EXPECT_THROW(apply_penalties(params, TokenCounts(std::vector<Token>{-1}), logits),
               InvariantBroken);
  EXPECT_NO_THROW(apply_penalties(params, TokenCounts({}), logits));
}

}  // namespace
}  // namespace tokenyard
