// From a checkpoint to tokens, against the implementation that the field uses.

#include <gtest/gtest.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/transformer.hpp"
#include "engine/weights/model_weights.hpp"
#include "tests/engine/decoding.hpp"
#include "tests/reference/golden_model.hpp"

namespace tokenyard {
namespace {

/// `steps` tokens after `prompt`, each the one of the greatest logit.
std::vector<Token> greedy_tokens(Transformer& transformer, const std::vector<Token>& prompt,
                                 std::size_t steps) {
  const Forward forward = [&](std::span<const StepSequence> step, KvCache& cache) {
    return transformer.forward(step, cache);
  };
  const auto length = static_cast<std::int64_t>(prompt.size() + steps);
  NanCache cache(transformer.kv_shape(8), length / 8 + 1, 1);
  GrowingSequence sequence(forward, cache, length);
  std::vector<Token> found{best_token(sequence.append(prompt))};
  while (found.size() < steps) found.push_back(best_token(sequence.append(found.back())));
  return found;
}

class GoldenModels : public ::testing::TestWithParam<std::string> {
 protected:
  const test::GoldenModel golden_ = test::load_golden_model(GetParam());
  Workers workers_{2};
  Transformer transformer_{load_weights(golden_.folder.string()), GemmKind::f32, workers_};
  const Forward forward_ = [this](std::span<const StepSequence> step, KvCache& cache) {
    return transformer_.forward(step, cache);
  };
};

INSTANTIATE_TEST_SUITE_P(Transformers, GoldenModels,
                         ::testing::ValuesIn(test::golden_model_names()),
                         [](const auto& model) { return model.param; });

// Would catch: a checkpoint's tensor or setting that the forward pass takes for another.
TEST_P(GoldenModels, LogitsAreThoseOfTransformers) {
  for (const test::GoldenCase& golden : golden_.cases) {
    for (const auto& [position, values] : golden.logits) {
      NanCache cache(transformer_.kv_shape(8), 32, 1);
      GrowingSequence sequence(forward_, cache, position + 1);
      const auto found =
          sequence.append(std::span(golden.prompt).first(static_cast<std::size_t>(position) + 1));
      EXPECT_LT(test::relative_error({found.begin(), found.end()}, values), 5e-6)
          << "prompt of " << golden.prompt.size() << ", position " << position;
    }
  }
}

// Would catch: an error that grows with the position, and anything lost between steps. The smallest
// gap between best and second logit is some 50 times the engine's error.
TEST_P(GoldenModels, GreedyTokensAreThoseOfTransformers) {
  for (const test::GoldenCase& golden : golden_.cases) {
    const auto found = greedy_tokens(transformer_, golden.prompt, golden.greedy.tokens.size());
    EXPECT_EQ(found, golden.greedy.tokens) << "prompt of " << golden.prompt.size();
  }
}

}  // namespace
}  // namespace tokenyard
