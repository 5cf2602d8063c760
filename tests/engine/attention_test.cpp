#include "engine/kernels/attention.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/kernels/bf16.hpp"
#include "engine/kernels/cpu_features.hpp"
#include "sim/kernel/invariant.hpp"
#include "tests/engine/paged_attention.hpp"

namespace tokenyard {
namespace {

/// Runs under each set of kernels that this CPU has.
class Attention : public ::testing::TestWithParam<CpuLevel> {
 protected:
  Attention() : cap_(GetParam()) {}
  void SetUp() override {
    if (cpu_level() < GetParam()) GTEST_SKIP() << "not on this CPU";
  }

 private:
  CpuLevelCap cap_;
};

INSTANTIATE_TEST_SUITE_P(Levels, Attention,
                         ::testing::Values(CpuLevel::baseline, CpuLevel::avx2, CpuLevel::avx512),
                         [](const auto& level) {
                           return std::string(cpu_level_name(level.param));
                         });

/// Softmax attention as the paper has it, in double precision, over what the cache stores.
std::vector<double> plain_attention(const AttentionCase& of, const AttentionInput& input) {
  const auto stored = [&](float value) {
    return of.element == ElementType::f32 ? value : widen_bf16(round_to_bf16(value));
  };
  const std::int64_t width = of.heads * of.head_dim, kv_width = of.kv_heads * of.head_dim;
  const std::vector<float> slopes = of.slopes();
  std::vector<double> outputs(static_cast<std::size_t>(input.tokens * width), 0.0);
  for (std::int64_t query = 0; query < input.tokens; ++query) {
    for (std::int64_t head = 0; head < of.heads; ++head) {
      const float* q = input.queries.data() + query * width + head * of.head_dim;
      const std::int64_t column = head / (of.heads / of.kv_heads) * of.head_dim;
      std::vector<double> weights;
      double most = -1e300, sum = 0;
      for (std::int64_t token = 0; token <= query; ++token) {
        double score = 0;
        for (std::int64_t d = 0; d < of.head_dim; ++d) {
          score += static_cast<double>(q[d]) *
                   static_cast<double>(
                       stored(input.keys[static_cast<std::size_t>(token * kv_width + column + d)]));
        }
        score *= static_cast<double>(of.scale());
        if (of.alibi) {
          score += static_cast<double>(slopes[static_cast<std::size_t>(head)]) *
                   static_cast<double>(token - query);
        }
        weights.push_back(score);
        most = std::max(most, score);
      }
      for (double& weight : weights) sum += weight = std::exp(weight - most);
      for (std::int64_t token = 0; token <= query; ++token) {
        for (std::int64_t d = 0; d < of.head_dim; ++d) {
          const float value =
              stored(input.values[static_cast<std::size_t>(token * kv_width + column + d)]);
          outputs[static_cast<std::size_t>(query * width + head * of.head_dim + d)] +=
              weights[static_cast<std::size_t>(token)] / sum * static_cast<double>(value);
        }
      }
    }
  }
  return outputs;
}

double largest_difference(const std::vector<float>& found, const std::vector<double>& wanted) {
  double most = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const double difference = std::abs(static_cast<double>(found[i]) - wanted[i]);
    if (!(difference <= most)) most = difference;  // NaN counts as large
  }
  return most;
}

/// Exact also for the sign of 0, which == would not see.
bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

// Would catch: a wrong scale, mask, head, position or bias; unwritten tokens or other blocks' NaN
// that reach a result; vectors that run over a head's odd end. The outputs are averages of values
// in
// [-1, 1], so 4e-6 is some dozen roundings.
TEST_P(Attention, MeetsTheDefinition) {
  const std::vector<AttentionCase> cases = {
      {.heads = 4, .kv_heads = 4, .head_dim = 64},
      {.heads = 8, .kv_heads = 2, .head_dim = 64, .alibi = true},
      {.heads = 6, .kv_heads = 1, .head_dim = 80, .element = ElementType::bf16},
      {.heads = 3, .kv_heads = 3, .head_dim = 96, .block_tokens = 24, .alibi = true},
      {.heads = 2, .kv_heads = 1, .head_dim = 128, .block_tokens = 32},
      {.heads = 2, .kv_heads = 2, .head_dim = 256, .block_tokens = 8},
      {.heads = 8, .kv_heads = 4, .head_dim = 8, .block_tokens = 8, .element = ElementType::bf16},
      {.heads = 70, .kv_heads = 1, .head_dim = 2, .block_tokens = 1},
      {.heads = 4, .kv_heads = 2, .head_dim = 7, .block_tokens = 5, .element = ElementType::bf16},
      {.heads = 1, .kv_heads = 1, .head_dim = 1, .block_tokens = 256, .alibi = true},
      {.heads = 2, .kv_heads = 1, .head_dim = 37, .block_tokens = 48, .alibi = true},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const AttentionInput input(cases[i], 150, 10 * i);
    const auto found = attend_in_steps(cases[i], input, {70}, {.others = true});
    EXPECT_LE(largest_difference(found, plain_attention(cases[i], input)), 4e-6) << "case " << i;
  }
}

// Would catch: an exponential of a large score before the maximum is taken off.
TEST_P(Attention, StaysFiniteWithLargeScores) {
  const AttentionCase of{.heads = 2, .kv_heads = 1, .head_dim = 64};
  AttentionInput input(of, 130, 5);
  for (float& value : input.queries) value *= 1000;
  EXPECT_LE(largest_difference(attend_in_steps(of, input, {}), plain_attention(of, input)), 4e-3);
}

using Steps = std::function<std::vector<float>(const Cuts&)>;

/// Whether one step, token by token, and other chunks give the same bits.
bool same_for_any_cut(std::int64_t tokens, const Steps& attend) {
  const auto whole = attend({});
  for (const Cuts& cuts : std::vector<Cuts>{
           every_token(tokens), {1}, {63}, {64}, {65, 66}, {5, 128}, {100}, {33, 97, 98, 150}}) {
    if (!same_bits(attend(cuts), whole)) return false;
  }
  return true;
}

// Would catch: decoding that rounds differently from prefilling, a chunk of a prompt whose place
// shows in the bits, a zero's sign that comes from masked tokens.
TEST_P(Attention, AnyCutOfAPromptGivesTheSameBits) {
  for (const AttentionCase& of : std::vector<AttentionCase>{
           {.heads = 3, .kv_heads = 3, .head_dim = 64},
           {.heads = 8, .kv_heads = 1, .head_dim = 80, .block_tokens = 8, .alibi = true},
           {.heads = 7, .kv_heads = 7, .head_dim = 2, .element = ElementType::bf16},
           {.heads = 6, .kv_heads = 2, .head_dim = 37, .block_tokens = 24}}) {
    const AttentionInput input(of, 170, 3);
    EXPECT_TRUE(same_for_any_cut(input.tokens, [&](const Cuts& cuts) {
      return attend_in_steps(of, input, cuts);
    })) << of.head_dim;
  }
}

// Would catch: sums whose order follows the pages.
TEST_P(Attention, AnyBlockSizeGivesTheSameBits) {
  for (const ElementType element : {ElementType::f32, ElementType::bf16}) {
    AttentionCase of{.heads = 4, .kv_heads = 2, .head_dim = 40, .element = element, .alibi = true};
    const AttentionInput input(of, 170, 4);
    const auto wanted = attend_in_steps(of, input, {40});
    for (const std::int32_t block_tokens : {1, 7, 8, 24, 32, 64, 100, 128, 256}) {
      of.block_tokens = block_tokens;
      EXPECT_TRUE(same_bits(attend_in_steps(of, input, {40}), wanted)) << block_tokens;
    }
  }
}

// Would catch: results that depend on where blocks lie, on what else is in the batch, on the cut
// into workers or on what a worker's scratch held before.
TEST_P(Attention, SurroundingsDoNotShowInTheBits) {
  const AttentionCase of{.heads = 8, .kv_heads = 2, .head_dim = 24, .block_tokens = 8};
  const AttentionInput input(of, 140, 6);
  const auto wanted = attend_in_steps(of, input, {90, 91});
  for (const Surroundings& around :
       std::vector<Surroundings>{{.block_order = 2},
                                 {.others = true},
                                 {.workers = 3},
                                 {.block_order = 9, .others = true, .workers = 50}}) {
    EXPECT_TRUE(same_bits(attend_in_steps(of, input, {90, 91}, around), wanted));
  }
}

// Would catch: a sum that is taken in another order with narrower vectors. Without fma the baseline
// cannot agree.
TEST(AttentionLevels, Avx2AndAvx512GiveTheSameBits) {
  if (cpu_level() < CpuLevel::avx512) GTEST_SKIP() << "no AVX-512 on this CPU";
  const AttentionCase of{.heads = 6, .kv_heads = 3, .head_dim = 72, .alibi = true};
  const AttentionInput input(of, 170, 7);
  const auto wanted = attend_in_steps(of, input, {75});
  const CpuLevelCap cap(CpuLevel::avx2);
  EXPECT_TRUE(same_bits(attend_in_steps(of, input, {75}), wanted));
}

/// One head's attention, token after token, with a running softmax that is rescaled wherever
/// `ends_chunk` says: (token, first token of the step, query) -> whether a chunk ends behind it.
std::vector<float> running_softmax(
    const AttentionCase& of, const AttentionInput& input, const Cuts& cuts,
    const std::function<bool(std::int64_t, std::int64_t, std::int64_t)>& ends_chunk) {
  const std::int64_t dim = of.head_dim;
  std::vector<float> outputs(static_cast<std::size_t>(input.tokens * dim));
  for (std::int64_t query = 0; query < input.tokens; ++query) {
    std::int64_t step = 0;
    for (const std::int64_t cut : cuts) step = cut <= query ? cut : step;
    std::vector<float> sums(static_cast<std::size_t>(dim) + 1, 0.0F);  // weighted values, weights
    std::vector<std::pair<std::int64_t, float>> chunk;
    float most = -std::numeric_limits<float>::infinity();
    for (std::int64_t token = 0; token <= query; ++token) {
      float score = 0;
      for (std::int64_t d = 0; d < dim; ++d) {
        score += input.queries[static_cast<std::size_t>(query * dim + d)] *
                 input.keys[static_cast<std::size_t>(token * dim + d)];
      }
      chunk.emplace_back(token, score * of.scale());
      if (token < query && !ends_chunk(token, step, query)) continue;
      const float before = most;
      for (const auto& [at, value] : chunk) most = std::max(most, value);
      for (float& sum : sums) sum *= std::exp(before - most);
      for (const auto& [at, value] : chunk) {
        const float weight = std::exp(value - most);
        for (std::int64_t d = 0; d < dim; ++d) {
          sums[static_cast<std::size_t>(d)] +=
              weight * input.values[static_cast<std::size_t>(at * dim + d)];
        }
        sums.back() += weight;
      }
      chunk.clear();
    }
    for (std::int64_t d = 0; d < dim; ++d) {
      outputs[static_cast<std::size_t>(query * dim + d)] =
          sums[static_cast<std::size_t>(d)] / sums.back();
    }
  }
  return outputs;
}

// Would catch: a check of bits that cannot fail. Chunks that are counted from where a step begins,
// or a cut of the context into two halves of the step, are right but for rounding, and found out;
// chunks counted from position 0 pass.
TEST(AttentionCheck, FindsChunksThatDependOnTheCut) {
  const AttentionCase of{.heads = 1, .kv_heads = 1, .head_dim = 16};
  const AttentionInput input(of, 170, 8);
  const auto steps = [&](auto ends_chunk) {
    return
        [&, ends_chunk](const Cuts& cuts) { return running_softmax(of, input, cuts, ends_chunk); };
  };
  const Steps absolute = steps([](auto token, auto, auto) { return token % 64 == 63; });
  const Steps relative =
      steps([](auto token, auto step, auto) { return (token - step + 1) % 64 == 0; });
  const Steps halves = steps([](auto token, auto step, auto) { return token == step / 2; });
  const auto plain = plain_attention(of, input);
  for (const Steps& attend : {absolute, relative, halves}) {
    EXPECT_LE(largest_difference(attend({70}), plain), 4e-6);
  }
  EXPECT_TRUE(same_for_any_cut(input.tokens, absolute));
  EXPECT_FALSE(same_for_any_cut(input.tokens, relative));
  EXPECT_FALSE(same_for_any_cut(input.tokens, halves));
}

// Would catch: items that no worker or two workers compute, and one worker with most of the work.
TEST(AttentionPlan, CutsAllItemsIntoPartsOfLikeCost) {
  const KvCache cache({1, 3, 8, 16, ElementType::f32}, 64, 0);
  std::vector<BlockId> blocks;
  for (std::uint32_t i = 0; i < 64; ++i) blocks.push_back(BlockId{i});
  std::vector<AttentionSequence> sequences{{blocks, 0, 1000, 0}};
  for (int i = 0; i < 9; ++i) sequences.push_back({blocks, 100 * i, 1, 1000 + i});
  const AttentionPlan plan(cache, 6, sequences);
  for (const int workers : {1, 2, 3, 16, 1000}) {
    std::int64_t next = 0;
    for (int worker = 0; worker < workers; ++worker) {
      const Part part = plan.part_of(worker, workers);
      EXPECT_EQ(part.begin, next);
      EXPECT_LE(part.begin, part.end);
      next = part.end;
    }
    EXPECT_EQ(next, static_cast<std::int64_t>(plan.items().size()));
  }
  const auto pairs = [&](const Part& part) {  // of a query and a token that it sees
    std::int64_t all = 0;
    for (std::int64_t i = part.begin; i < part.end; ++i) {
      const AttentionItem& item = plan.items()[static_cast<std::size_t>(i)];
      const auto& sequence = sequences[static_cast<std::size_t>(item.sequence)];
      for (std::int64_t q = 0; q < item.queries; ++q) {
        all += sequence.first_position + item.first_query + q + 1;
      }
    }
    return static_cast<double>(all);
  };
  EXPECT_NEAR(pairs(plan.part_of(0, 2)) / pairs(plan.part_of(1, 2)), 1, 0.2);
}

// Would catch: tables that would be read past their end, and blocks past the pool's.
TEST(AttentionPlan, RefusesWhatIsNotThere) {
  const KvCache cache({1, 2, 8, 16, ElementType::f32}, 4, 0);
  const std::vector<BlockId> two{BlockId{0}, BlockId{3}}, beyond{BlockId{4}};
  const auto plan = [&](std::int32_t heads, const AttentionSequence& sequence) {
    const AttentionPlan made(cache, heads, std::vector<AttentionSequence>{sequence});
    return made.items().size();
  };
  EXPECT_EQ(plan(4, {two, 31, 1, 0}), 2U);
  EXPECT_EQ(plan(4, {two, 32, 0, 0}), 0U);
  EXPECT_THROW(plan(4, {two, 31, 2, 0}), InvariantBroken);
  EXPECT_THROW(plan(4, {two, -1, 1, 0}), InvariantBroken);
  EXPECT_THROW(plan(4, {beyond, 0, 1, 0}), InvariantBroken);
  EXPECT_THROW(plan(3, {two, 0, 1, 0}), InvariantBroken);
}

}  // namespace
}  // namespace tokenyard
