#include "engine/transformer.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "engine/kernels/cpu_features.hpp"
#include "engine/weights/model_weights.hpp"
#include "sim/kernel/invariant.hpp"
#include "sim/kernel/rng.hpp"
#include "tests/engine/decoding.hpp"
#include "tests/engine/gemm_cases.hpp"
#include "tests/reference/golden_model.hpp"
#include "tests/reference/reference_model.hpp"

namespace tokenyard {
namespace {

using test::ReferenceModel;
using test::Vector;

/// Where a tier rounds to bf16, in the reference's terms.
test::Bf16Rounding rounding_of(GemmKind kind) {
  const bool bf16 = kind != GemmKind::f32;
  return {.weights = bf16, .activations = kind == GemmKind::bf16_dot, .kv = bf16};
}

/// Greatest difference of logits from the reference's, in parts of the logits' greatest size. In
/// bf16 a key, value or activation next to the middle between two numbers is now and then rounded
/// to the other one, which is 2^-8 of its size away.
double tolerance_of(GemmKind kind) {
  switch (kind) {
    case GemmKind::f32:
      return 5e-6;
    case GemmKind::bf16:
      return 1e-3;
    case GemmKind::bf16_dot:
      return 1e-2;
  }
  return 0;
}

/// The logits before each token of `tokens` but the first `prompt`: the prompt in one step, the
/// rest token by token.
std::vector<Vector> engine_logits(Transformer& transformer, std::span<const Token> tokens,
                                  std::size_t prompt) {
  const Forward forward = [&](std::span<const StepSequence> step, KvCache& cache) {
    return transformer.forward(step, cache);
  };
  NanCache cache(transformer.kv_shape(16), 40, 1);
  GrowingSequence sequence(forward, cache, static_cast<std::int64_t>(tokens.size()));
  std::vector<Vector> all;
  const auto keep = [&](const std::vector<float>& logits) {
    all.emplace_back(logits.begin(), logits.end());
  };
  keep(sequence.append(tokens.first(prompt)));
  for (const Token token : tokens.subspan(prompt)) keep(sequence.append(token));
  all.pop_back();
  return all;
}

class TransformerAgainstReference
    : public ::testing::TestWithParam<std::tuple<std::string, GemmTier>> {};

INSTANTIATE_TEST_SUITE_P(Models, TransformerAgainstReference,
                         ::testing::Combine(::testing::ValuesIn(tiny_models()),
                                            ::testing::ValuesIn(gemm_tiers())),
                         [](const auto& at) {
                           std::string name = std::get<0>(at.param);
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name + "_" + std::get<1>(at.param).name();
                         });

// Would catch: any formula of any architecture that is wrong or misplaced, weights in the wrong
// place, and rounding where the tier has none.
TEST_P(TransformerAgainstReference, SaysTheSameForTwoHundredSteps) {
  const auto& [model, tier] = GetParam();
  if (!tier.runs_here()) GTEST_SKIP() << "this CPU has no " << tier.name();
  const CpuLevelCap cap(tier.level);
  const ModelWeights weights = load_weights("random:" + model);
  const ReferenceModel reference(weights, rounding_of(tier.kind));
  const double tolerance = tolerance_of(tier.kind);
  constexpr std::size_t kPrompt = 24;
  Rng rng = named_stream(1, model);
  std::vector<Token> tokens = random_tokens(rng, kPrompt, weights.config.vocabulary);
  const test::GreedyTokens greedy = reference.greedy(tokens, 200);
  tokens.insert(tokens.end(), greedy.tokens.begin(), greedy.tokens.end());
  const std::vector<Vector> expected = reference.logits(tokens);

  Workers workers(2);
  Transformer transformer(weights, tier.kind, workers);
  const std::vector<Vector> found = engine_logits(transformer, tokens, kPrompt);
  ASSERT_EQ(found.size(), greedy.tokens.size());
  double worst = 0;
  int compared = 0;
  for (std::size_t step = 0; step < found.size(); ++step) {
    const Vector& right = expected[kPrompt - 1 + step];
    const double error = test::relative_error(found[step], right);
    ASSERT_LE(error, tolerance) << "step " << step;
    worst = std::max(worst, error);
    const double size = std::max(*std::max_element(right.begin(), right.end()),
                                 -*std::min_element(right.begin(), right.end()));
    if (greedy.gaps[step] <= 2 * tolerance * size) continue;
    ++compared;
    const auto best = std::max_element(found[step].begin(), found[step].end());
    EXPECT_EQ(best - found[step].begin(), greedy.tokens[step]) << "step " << step;
  }
  // The tolerance must not hide what it is to find.
  EXPECT_GE(compared, tier.kind == GemmKind::bf16_dot ? 120 : 190);
  RecordProperty("worst_error", fmt::format("{:.1e}", worst));
}

class TransformerContract : public ::testing::Test {
 protected:
  LogitRows forward(const StepSequence& sequence) {
    return transformer_.forward({&sequence, 1}, cache_);
  }

  const ModelWeights weights_ = load_weights("random:llama-tiny");
  Workers workers_{1};
  Transformer transformer_{weights_, GemmKind::f32, workers_};
  KvCache cache_{transformer_.kv_shape(16), 40, 0};
  const std::vector<BlockId> blocks_{BlockId{3}, BlockId{1}};
  const std::vector<Token> tokens_{1, 2, 3};
};

// Would catch: a step that is not checked, so that the engine reads or writes beyond its tables.
TEST_F(TransformerContract, RefusesWhatBreaksItsContract) {
  EXPECT_NO_THROW(forward({tokens_, 29, blocks_, true}));
  EXPECT_THROW(forward({tokens_, 30, blocks_, true}), InvariantBroken) << "beyond the table";
  EXPECT_THROW(forward({tokens_, -1, blocks_, true}), InvariantBroken);
  EXPECT_THROW(forward({{}, 0, blocks_, true}), InvariantBroken) << "no token";
  for (const Token token : {-1, 512}) {
    const std::vector<Token> strange{1, token};
    EXPECT_THROW(forward({strange, 0, blocks_, true}), InvariantBroken) << token;
  }
  const std::vector<BlockId> no_block{BlockId{40}};
  EXPECT_THROW(forward({tokens_, 0, no_block, true}), InvariantBroken);
  const std::vector<BlockId> long_table(40, BlockId{0});
  EXPECT_NO_THROW(forward({tokens_, 509, long_table, true}));
  EXPECT_THROW(forward({tokens_, 510, long_table, true}), InvariantBroken) << "beyond the context";
}

// Would catch: a cache of another model that is taken for this one's.
TEST_F(TransformerContract, RefusesAnotherModelsCache) {
  const auto refuses = [&](KvShape shape) {
    KvCache other(shape, 4, 0);
    const StepSequence part{tokens_, 0, blocks_, true};
    EXPECT_THROW(transformer_.forward({&part, 1}, other), InvariantBroken);
  };
  KvShape shape = transformer_.kv_shape(16);
  shape.kv_heads *= 2;
  refuses(shape);
  shape = transformer_.kv_shape(16);
  ++shape.layers;
  refuses(shape);
}

// Would catch: logits of rows that nobody asked for, which would be given to the wrong sequence.
TEST_F(TransformerContract, GivesNoLogitsUnasked) {
  EXPECT_EQ(forward({tokens_, 0, blocks_, false}).rows, 0);
  EXPECT_EQ(transformer_.forward({}, cache_).rows, 0);
  const LogitRows logits = forward({tokens_, 0, blocks_, true});
  EXPECT_EQ(logits.rows, 1);
  EXPECT_EQ(logits.vocabulary, 512);
}

// Would catch: groups of a step that do not go one after another, so that a sequence cannot share
// the blocks of a prefix that is computed in the same step; and tokens that are written beside the
// sequence's own.
TEST_F(TransformerContract, ASequenceReadsBlocksThatOneBeforeItWrites) {
  Rng rng = named_stream(1, "shared");
  const std::vector<Token> prefix = random_tokens(rng, 288, 512), tail = random_tokens(rng, 9, 512);
  std::vector<Token> whole = prefix;
  whole.insert(whole.end(), tail.begin(), tail.end());
  NanCache cache(transformer_.kv_shape(16), 60, 1);
  const auto alone = cache.take(297);
  const StepSequence all{whole, 0, alone, true};
  const LogitRows right = transformer_.forward({&all, 1}, cache.cache());
  const std::vector<float> expected(right.row(0).begin(), right.row(0).end());

  const auto first = cache.take(288);
  auto second = first;
  second.push_back(cache.take(9).front());
  const std::vector<StepSequence> step{{prefix, 0, first, true}, {tail, 288, second, true}};
  const LogitRows logits = transformer_.forward(step, cache.cache());
  ASSERT_EQ(logits.rows, 2);
  EXPECT_TRUE(same_bits({logits.row(1).begin(), logits.row(1).end()}, expected));
}

// Would catch: bytes that leave out a matrix, so that a bandwidth computed of them is too high.
TEST_F(TransformerContract, CountsTheMatricesBytes) {
  const std::int64_t layer = 64 * (64 + 2 * 32) + 64 * 64 + 3 * 64 * 172;
  const auto elements = static_cast<std::size_t>(2 * layer + 512 * 64);
  EXPECT_GE(transformer_.weight_bytes(), 4 * elements);
  EXPECT_LE(transformer_.weight_bytes(), 5 * elements) << "padding of the last panels";
  Transformer bf16(weights_, GemmKind::bf16, workers_);
  EXPECT_LE(bf16.weight_bytes(), transformer_.weight_bytes() * 6 / 10);
}

}  // namespace
}  // namespace tokenyard
