#pragma once
// Random sequences and attention over them, in one step or in many, with their tokens in pages that
// lie anywhere between pages full of NaN.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "engine/kernels/attention.hpp"
#include "engine/kernels/workers.hpp"
#include "engine/kv_cache.hpp"
#include "sim/kernel/rng.hpp"

namespace tokenyard {

struct AttentionCase {
  std::int32_t heads = 4;
  std::int32_t kv_heads = 2;
  std::int32_t head_dim = 16;
  std::int32_t block_tokens = 16;
  ElementType element = ElementType::f32;
  bool alibi = false;

  float scale() const { return 1.0F / std::sqrt(static_cast<float>(head_dim)); }
  /// As in the paper for powers of two; the exact values do not matter here.
  std::vector<float> slopes() const {
    std::vector<float> all;
    for (int h = 1; alibi && h <= heads; ++h) {
      all.push_back(std::exp2(-8.0F * static_cast<float>(h) / static_cast<float>(heads)));
    }
    return all;
  }
};

inline std::vector<float> random_floats(std::uint64_t seed, std::int64_t count, float most = 1) {
  Rng rng(seed);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) {
    value = (static_cast<float>(rng() % 20001) / 10000.0F - 1.0F) * most;
  }
  return values;
}

/// What attention is given for one sequence: rows of heads (or KV heads) x head_dim.
struct AttentionInput {
  AttentionInput(const AttentionCase& of, std::int64_t length, std::uint64_t seed)
      : tokens(length),
        queries(random_floats(seed, length * of.heads * of.head_dim, 2)),
        keys(random_floats(seed + 1, length * of.kv_heads * of.head_dim, 2)),
        values(random_floats(seed + 2, length * of.kv_heads * of.head_dim)) {}

  std::int64_t tokens;
  std::vector<float> queries, keys, values;
};

/// How a sequence's tokens are cut into steps: the first token of each step but the first.
using Cuts = std::vector<std::int64_t>;

inline Cuts every_token(std::int64_t tokens) {
  Cuts cuts;
  for (std::int64_t token = 1; token < tokens; ++token) cuts.push_back(token);
  return cuts;
}

/// What should make no difference.
struct Surroundings {
  std::uint64_t block_order = 1;  ///< seed
  bool others = false;            ///< two more sequences in each step, of other lengths
  int workers = 1;  ///< parts in which a step's items are computed, the last part first
};

namespace detail {

/// Blocks in random order; all tokens of all of them hold NaN.
inline std::vector<BlockId> shuffled_nan_blocks(KvCache& cache, std::uint64_t seed) {
  std::vector<BlockId> blocks;
  for (std::uint32_t i = 0; i < cache.device_blocks(); ++i) blocks.push_back(BlockId{i});
  Rng rng(seed);
  for (std::size_t i = blocks.size(); i > 1; --i) std::swap(blocks[i - 1], blocks[rng() % i]);
  const KvShape& shape = cache.shape();
  const std::int64_t tokens = cache.device_blocks() * shape.block_tokens;
  const std::vector<float> nan(static_cast<std::size_t>(tokens * shape.kv_heads * shape.head_dim),
                               std::numeric_limits<float>::quiet_NaN());
  for (std::int32_t layer = 0; layer < shape.layers; ++layer) {
    cache.write(layer, blocks, 0, tokens,
                {nan.data(), nan.data(), shape.kv_heads * shape.head_dim});
  }
  return blocks;
}

}  // namespace detail

/// The outputs of the whole sequence, [tokens, heads x head_dim], computed in the steps that `cuts`
/// says, in layer 1 of 2.
inline std::vector<float> attend_in_steps(const AttentionCase& of, const AttentionInput& input,
                                          const Cuts& cuts, const Surroundings& around = {}) {
  const AttentionInput second(of, 40, 900), third(of, 1, 901);
  const std::int64_t blocks_each = input.tokens / of.block_tokens + 1;
  const std::int64_t blocks_beside = 40 / of.block_tokens + 1;
  KvCache cache({2, of.kv_heads, of.head_dim, of.block_tokens, of.element},
                blocks_each + 2 * blocks_beside + 3, 0);
  const auto blocks = detail::shuffled_nan_blocks(cache, around.block_order);
  const auto all = std::span(blocks);
  const std::int64_t width = of.heads * of.head_dim, kv_width = of.kv_heads * of.head_dim;
  const auto write = [&](const AttentionInput& from, std::span<const BlockId> table,
                         std::int64_t first, std::int64_t tokens) {
    cache.write(
        1, table, first, tokens,
        {from.keys.data() + first * kv_width, from.values.data() + first * kv_width, kv_width});
  };
  const auto table = all.first(static_cast<std::size_t>(blocks_each));
  const auto second_table = all.last(static_cast<std::size_t>(blocks_beside));
  const auto third_table = all.subspan(table.size(), static_cast<std::size_t>(blocks_beside));
  write(second, second_table, 0, second.tokens);
  write(third, third_table, 0, third.tokens);

  std::vector<float> outputs(static_cast<std::size_t>(input.tokens * width));
  std::vector<AttentionScratch> scratch(1);
  const std::vector<float> slopes = of.slopes();
  Cuts ends = cuts;
  ends.push_back(input.tokens);
  std::int64_t first = 0;
  for (const std::int64_t end : ends) {
    write(input, table, first, end - first);
    // Rows of one step: the second sequence's, ours, the third's.
    std::vector<float> queries;
    std::vector<AttentionSequence> sequences;
    const auto add = [&](const AttentionInput& from, std::span<const BlockId> of_blocks,
                         std::int64_t begin, std::int64_t count) {
      sequences.push_back(
          {of_blocks, begin, count, static_cast<std::int64_t>(queries.size()) / width});
      queries.insert(queries.end(), from.queries.begin() + begin * width,
                     from.queries.begin() + (begin + count) * width);
    };
    if (around.others) add(second, second_table, 3, 37);
    const std::int64_t our_row = static_cast<std::int64_t>(queries.size()) / width;
    add(input, table, first, end - first);
    if (around.others) add(third, third_table, 0, 1);
    const std::int64_t rows = static_cast<std::int64_t>(queries.size()) / width;
    std::vector<float> step(queries.size());
    const AttentionPlan plan(cache, of.heads, sequences);
    for (int worker = around.workers; worker-- > 0;) {
      attend(plan, 1, plan.part_of(worker, around.workers),
             {{queries.data(), rows, width}, {step.data(), width}, of.scale(), slopes}, scratch[0]);
    }
    std::copy_n(step.begin() + our_row * width, (end - first) * width,
                outputs.begin() + first * width);
    first = end;
  }
  return outputs;
}

}  // namespace tokenyard
