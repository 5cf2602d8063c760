#include "engine/sampling/stop.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "sim/kernel/invariant.hpp"

namespace tokenyard {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::vector<Token> kEnds = {2, 9};
constexpr std::int64_t kContext = 100;

struct Output {
  std::string text;
  std::optional<Finish> finish;
  std::int64_t tokens = 0;
};

/// Feeds tokens, each with its number in brackets as its text, until the sequence ends.
Output run(const StopRule& rule, const std::vector<Token>& tokens) {
  SequenceStop sequence(rule);
  Output result;
  for (const Token token : tokens) {
    result.finish = sequence.add(token, "[" + std::to_string(token) + "]", result.text);
    if (result.finish) break;
  }
  result.tokens = sequence.generated();
  return result;
}

// Would catch: an end token that does not end, or whose text is shown.
TEST(Stop, EndsAtAnEndToken) {
  const StopRule rule({}, kEnds, 10, kContext);
  const Output result = run(rule, {5, 9, 7});
  ASSERT_TRUE(result.finish);
  EXPECT_EQ(name_of(result.finish->reason), "stop");
  EXPECT_FALSE(result.finish->stop_token || result.finish->stop_string);
  EXPECT_EQ(result.text, "[5]");
  EXPECT_EQ(result.tokens, 2);
}

// Would catch: `ignore_eos` that also ignores stop tokens, and a stop token that is not named.
TEST(Stop, IgnoresTheModelsEndTokensAlone) {
  SamplingParams params;
  params.ignore_eos = true;
  params.stop_token_ids = {7};
  const StopRule rule(params, kEnds, 10, kContext);
  const Output result = run(rule, {2, 9, 7});
  ASSERT_TRUE(result.finish);
  EXPECT_EQ(result.finish->reason, FinishReason::stop);
  EXPECT_EQ(result.finish->stop_token, 7);
  EXPECT_EQ(result.text, "[2][9]");
  EXPECT_THAT(rule.ending_tokens(), ElementsAre(7));
  params.stop_token_ids = {9, 9};
  EXPECT_EQ(run(StopRule(params, kEnds, 10, kContext), {2, 9}).finish->stop_token, 9);
  params.ignore_eos = false;
  EXPECT_FALSE(run(StopRule(params, kEnds, 10, kContext), {9}).finish->stop_token);
}

// Would catch: an output one token longer or shorter than it may be, and another reason.
TEST(Stop, EndsAtItsLength) {
  SamplingParams params;
  params.max_tokens = 3;
  Output result = run(StopRule(params, kEnds, 10, kContext), {4, 4, 4, 4});
  ASSERT_TRUE(result.finish);
  EXPECT_EQ(name_of(result.finish->reason), "length");
  EXPECT_EQ(result.text, "[4][4][4]");
  result = run(StopRule(params, kEnds, 98, kContext), {4, 4, 4, 4});
  EXPECT_EQ(result.finish->reason, FinishReason::length);
  EXPECT_EQ(result.tokens, 2);
  params.max_tokens.reset();
  EXPECT_EQ(StopRule(params, kEnds, 10, kContext).most_tokens(), 90);
  EXPECT_EQ(run(StopRule(params, kEnds, 99, kContext), {4}).tokens, 1);
}

// Would catch: an end token in the last place that is called a length.
TEST(Stop, AnEndTokenInTheLastPlaceIsAStop) {
  SamplingParams params;
  params.max_tokens = 2;
  EXPECT_EQ(run(StopRule(params, kEnds, 10, kContext), {4, 2}).finish->reason, FinishReason::stop);
}

// Would catch: end tokens masked one token too long or too short, and forgotten where ignored.
TEST(Stop, MasksEndTokensUntilMinTokens) {
  SamplingParams params;
  params.min_tokens = 2;
  params.stop_token_ids = {7, 9};
  for (const bool ignore : {false, true}) {
    params.ignore_eos = ignore;
    const StopRule rule(params, kEnds, 10, kContext);
    EXPECT_THAT(rule.masked(0), ElementsAre(2, 7, 9));
    EXPECT_THAT(rule.masked(1), ElementsAre(2, 7, 9));
    EXPECT_THAT(rule.masked(2), IsEmpty());
  }
}

// Would catch: a stop string that counts before `min_tokens`, or one that began before and is
// missed.
TEST(Stop, StopStringsWaitForMinTokens) {
  SamplingParams params;
  params.stop = {"[4]", "3][8"};
  params.min_tokens = 3;
  const StopRule rule(params, kEnds, 10, kContext);
  EXPECT_TRUE(rule.has_strings());
  Output result = run(rule, {4, 4, 5, 4});
  ASSERT_TRUE(result.finish);
  EXPECT_EQ(result.finish->reason, FinishReason::stop);
  EXPECT_EQ(result.finish->stop_string, 0U);
  EXPECT_EQ(result.text, "[4][4][5]");
  result = run(rule, {1, 3, 8});
  EXPECT_EQ(result.finish->stop_string, 1U);
  EXPECT_EQ(result.text, "[1][");
}

// Would catch: text held back for a stop string that is lost when the output ends otherwise.
TEST(Stop, ShowsWhatWasHeldBackWhenTheOutputEnds) {
  SamplingParams params;
  params.stop = {"[6][6]"};
  params.max_tokens = 2;
  const StopRule rule(params, kEnds, 10, kContext);
  EXPECT_EQ(run(rule, {6, 2}).text, "[6]");
  EXPECT_EQ(run(rule, {5, 6}).text, "[5][6]");
  const Output result = run(rule, {6, 6});
  EXPECT_EQ(result.text, "");
  EXPECT_EQ(result.finish->reason, FinishReason::stop);
}

// Would catch: a trace's output that ends anywhere but at its length, or whose end tokens are
// masked.
TEST(Stop, AForcedLengthIsKeptExactly) {
  SamplingParams params;
  params.stop = {"[4]"};
  params.stop_token_ids = {5};
  params.min_tokens = 3;
  params.max_tokens = 3;
  const StopRule rule(params, kEnds, 10, kContext, 5);
  EXPECT_THAT(rule.masked(0), IsEmpty());
  EXPECT_THAT(rule.ending_tokens(), IsEmpty());
  EXPECT_FALSE(rule.has_strings());
  const Output result = run(rule, {2, 9, 5, 4, 2, 1});
  ASSERT_TRUE(result.finish);
  EXPECT_EQ(result.finish->reason, FinishReason::length);
  EXPECT_EQ(result.tokens, 5);
  EXPECT_EQ(result.text, "[2][9][5][4][2]");
}

// Would catch: a caller that goes on after the end, or starts where no token fits.
TEST(Stop, RefusesTokensAfterTheEnd) {
  SamplingParams params;
  params.max_tokens = 1;
  const StopRule rule(params, kEnds, 10, kContext);
  SequenceStop sequence(rule);
  std::string out;
  EXPECT_TRUE(sequence.add(4, "x", out));
  EXPECT_THROW(sequence.add(4, "x", out), InvariantBroken);
  EXPECT_THROW(StopRule(params, kEnds, 100, kContext), InvariantBroken);
  EXPECT_THROW(StopRule(params, kEnds, 10, kContext, 0), InvariantBroken);
}

}  // namespace
}  // namespace tokenyard
