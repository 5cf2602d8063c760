// The engine on trained weights, in every tier: a story that llama2.c told.

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <vector>

#include "engine/kernels/cpu_features.hpp"
#include "engine/text/tokenizer.hpp"
#include "engine/transformer.hpp"
#include "engine/weights/model_weights.hpp"
#include "tests/engine/decoding.hpp"
#include "tests/engine/gemm_cases.hpp"
#include "tests/engine/weights_support.hpp"
#include "tests/reference/reference_model.hpp"

namespace tokenyard {
namespace {

class TrainedModel : public ::testing::TestWithParam<GemmTier> {};

INSTANTIATE_TEST_SUITE_P(Tiers, TrainedModel, ::testing::ValuesIn(gemm_tiers()),
                         [](const auto& tier) { return tier.param.name(); });

// Would catch: a tier that is too coarse for a trained model, whose layers are
// more and whose numbers lie less evenly than those of random ones. f32 tells
// the story to the last letter; bf16 is led along it and takes the same token
// wherever the choice is clear (as nine of ten are).
TEST_P(TrainedModel, TellsLlama2csStory) {
  const auto folder = test::shared_path("models/stories260K");
  if (!folder) GTEST_SKIP() << "the weights are not on this machine";
  const GemmTier tier = GetParam();
  if (!tier.runs_here()) GTEST_SKIP() << "this CPU has no " << tier.name();
  const CpuLevelCap cap(tier.level);
  const ModelWeights weights = load_weights(*folder);
  const std::vector<Token> prompt{weights.config.begin_token};
  const test::GreedyTokens story = test::ReferenceModel(weights).greedy(prompt, 200);

  Workers workers(2);
  Transformer transformer(weights, tier.kind, workers);
  const Forward forward = [&](std::span<const StepSequence> step, KvCache& cache) {
    return transformer.forward(step, cache);
  };
  NanCache cache(transformer.kv_shape(16), 13, 1);
  GrowingSequence sequence(forward, cache, 201);
  const bool led = tier.kind != GemmKind::f32;
  std::vector<Token> found{best_token(sequence.append(prompt))};
  for (std::size_t i = 0; found.size() < story.tokens.size(); ++i) {
    found.push_back(best_token(sequence.append(led ? story.tokens[i] : found[i])));
  }
  if (!led) {
    const std::string text = load_tokenizer(*folder)->decode(found) + "\n";
    EXPECT_EQ(text, test::file_content(*folder + "/golden_greedy_200.txt"));
  }
  int clear = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (story.gaps[i] < 0.3) continue;
    ++clear;
    EXPECT_EQ(found[i], story.tokens[i]) << "step " << i;
  }
  EXPECT_GE(clear, 170);
}

}  // namespace
}  // namespace tokenyard
