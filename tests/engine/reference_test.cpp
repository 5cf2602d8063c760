// The reference against the implementation that the field uses, through the reader of checkpoints:
// where these agree, configuration, tensors and formulas of an architecture are right.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "engine/text/tokenizer.hpp"
#include "tests/engine/weights_support.hpp"
#include "tests/reference/golden_model.hpp"
#include "tests/reference/reference_model.hpp"

namespace tokenyard::test {
namespace {

using ::testing::SizeIs;

class Reference : public ::testing::TestWithParam<std::string> {
 protected:
  const GoldenModel golden_ = load_golden_model(GetParam());
  const ModelWeights weights_ = load_weights(golden_.folder.string());
};

INSTANTIATE_TEST_SUITE_P(GoldenModels, Reference, ::testing::ValuesIn(golden_model_names()),
                         [](const auto& model) { return model.param; });

// Would catch: a tensor taken for another, transposed, or cut from a fused one at the wrong rows; a
// forgotten bias, norm or clip; a wrong activation, slope, frequency or offset of positions. The
// vectors were computed in double, so only the order of sums is left to differ.
TEST_P(Reference, LogitsAreThoseOfTransformers) {
  const ReferenceModel model(weights_);
  ASSERT_THAT(golden_.cases, SizeIs(3));
  for (const GoldenCase& golden : golden_.cases) {
    const auto found = model.logits(golden.prompt);
    ASSERT_FALSE(golden.logits.empty());
    for (const auto& [position, values] : golden.logits) {
      EXPECT_LT(relative_error(found.at(static_cast<std::size_t>(position)), values), 1e-10)
          << "prompt of " << golden.prompt.size() << ", position " << position;
    }
  }
}

// Would catch: an error that grows with the position, such as a distance or rotation off by one
// part in a thousand, which short prompts hide.
TEST_P(Reference, GreedyTokensAreThoseOfTransformers) {
  const ReferenceModel model(weights_);
  for (const GoldenCase& golden : golden_.cases) {
    const GreedyTokens found = model.greedy(golden.prompt, 200);
    EXPECT_EQ(found.tokens, golden.greedy.tokens) << "prompt of " << golden.prompt.size();
    for (std::size_t i = 0; i < found.gaps.size(); ++i) {  // three digits are recorded
      ASSERT_NEAR(found.gaps[i], golden.greedy.gaps.at(i), 0.006 * golden.greedy.gaps[i]) << i;
    }
  }
}

// Would catch: a golden model whose continuation says nothing, since it repeats one token.
TEST_P(Reference, GreedyTokensVary) {
  for (const GoldenCase& golden : golden_.cases) {
    std::vector<Token> tokens = golden.greedy.tokens;
    ASSERT_THAT(tokens, SizeIs(200));
    std::sort(tokens.begin(), tokens.end());
    EXPECT_GE(std::unique(tokens.begin(), tokens.end()) - tokens.begin(), 8);
  }
}

// Would catch: rounding that is not applied, is applied elsewhere too, or is no rounding to bf16
// (an 8-bit significand: 2^-9 of each number, which these models make up to some percent of a
// logit).
TEST_P(Reference, RoundingMovesLogitsAsFarAsBf16Does) {
  const std::vector<Token>& prompt = golden_.cases.at(1).prompt;
  const auto error = [&](Bf16Rounding rounding) {
    const ReferenceModel exact(weights_);
    return relative_error(ReferenceModel(weights_, rounding).logits(prompt).back(),
                          exact.logits(prompt).back());
  };
  const bool stored_in_bf16 = weights_.stored == ElementType::bf16;
  const double by_weights = error({.weights = true});
  EXPECT_EQ(by_weights == 0, stored_in_bf16);
  EXPECT_LT(by_weights, 0.05);
  for (const Bf16Rounding rounding :
       {Bf16Rounding{.activations = true}, Bf16Rounding{.kv = true}}) {
    EXPECT_GT(error(rounding), 1e-5);
    EXPECT_LT(error(rounding), 0.05);
  }
}

// Would catch: what tiny random models cannot show, such as precision lost over many layers, and
// any slip in llama2.c's format (rotation of adjacent elements, four KV heads of eight). The text
// was made by llama2.c itself.
TEST(ReferenceOnTrainedWeights, Stories260KTellsItsStory) {
  const auto folder = shared_path("models/stories260K");
  if (!folder) GTEST_SKIP() << "the weights are not on this machine";
  const ReferenceModel model(load_weights(*folder));
  const std::vector<Token> prompt{model.config().begin_token};
  const std::string story =
      load_tokenizer(*folder)->decode(model.greedy(prompt, 200).tokens) + "\n";
  EXPECT_EQ(story, file_content(*folder + "/golden_greedy_200.txt"));
}

}  // namespace
}  // namespace tokenyard::test
