#pragma once
// Attention over pages, for the files that may include simd.hpp: each instantiates it for its
// instruction set.
//
// A row (a query token's head) goes through the chunks of kAttentionChunk tokens in which the
// cache's positions are cut, from position 0 to its own, with a running maximum, sum and output
// that are rescaled from chunk to chunk (Dao et al., "FlashAttention", arXiv 2205.14135, algorithm
// 1). Within a chunk a score is one chain of fma over the dimensions, a row's exponentials are
// summed in a fixed tree over the chunk's places (those behind its own position count exactly 0),
// and an output is one chain of fma over the tokens up to its position. So its bits depend on its
// query and on the keys and values of positions 0 to its own, and on nothing else.

#include "engine/kernels/attention_pages.hpp"
#include "engine/kernels/simd_math.hpp"
#include "engine/kernels/tile.hpp"

namespace tokenyard {
namespace {

constexpr int kChunkVectors = kAttentionChunk / kLanes;

inline std::int64_t whole_vectors(std::int64_t columns) {
  return (columns + kLanes - 1) / kLanes;
}

inline void start_rows(const AttentionTask& task, const AttentionBuffers& work) {
  for (std::int64_t row = 0; row < task.tokens * task.group; ++row) {
    const float* query =
        task.queries + row / task.group * task.query_stride + row % task.group * task.head_dim;
    float* scaled = work.queries + row * task.head_dim;
    for (std::int64_t d = 0; d < task.head_dim; ++d) scaled[d] = query[d] * task.scale;
    float* output = work.outputs + row * work.value_stride;
    for (std::int64_t d = 0; d < work.value_stride; ++d) output[d] = 0;
    work.largest[row] = -__builtin_inff();
    work.sums[row] = 0;
  }
}

inline void finish_rows(const AttentionTask& task, const AttentionBuffers& work) {
  for (std::int64_t row = 0; row < task.tokens * task.group; ++row) {
    const float* output = work.outputs + row * work.value_stride;
    float* to =
        task.outputs + row / task.group * task.output_stride + row % task.group * task.head_dim;
    for (std::int64_t d = 0; d < task.head_dim; ++d) to[d] = output[d] / work.sums[row];
  }
}

inline void scale_vectors(float* values, std::int64_t count, Floats factor) {
  for (std::int64_t i = 0; i < count; i += kLanes) store(values + i, mul(load(values + i), factor));
}

/// Turns a row's scores of the chunk at `begin` into weights e^(score - largest) and brings its
/// running maximum, sum and output to that maximum. The row sees the chunk's first `seen` tokens;
/// the others weigh 0.
inline void weigh(const AttentionTask& task, const AttentionBuffers& work, std::int64_t row,
                  std::int64_t begin, std::int64_t seen, float* scores) {
  float lane_numbers[kLanes];
  for (int i = 0; i < kLanes; ++i) lane_numbers[i] = static_cast<float>(i);
  const Floats lane = load(lane_numbers);
  Floats score[kChunkVectors];
  Floats most[kSums / kLanes];
  for (int v = 0; v < kChunkVectors; ++v) {
    score[v] = load(scores + v * kLanes);
    if (task.slopes != nullptr) {
      const std::int64_t query = task.first_position + row / task.group;
      const Floats back = lane + static_cast<float>(begin + v * kLanes - query);
      score[v] = fma(all(task.slopes[row % task.group]), back, score[v]);
    }
    if (seen < kAttentionChunk) {
      score[v] = lane + static_cast<float>(v * kLanes) < static_cast<float>(seen)
                     ? score[v]
                     : all(-__builtin_inff());
    }
    Floats& place = most[v % (kSums / kLanes)];
    place = v < kSums / kLanes ? score[v] : max(place, score[v]);
  }
  const float before = work.largest[row];
  const float here = fold(most, [](auto a, auto b) { return a > b ? a : b; });
  const float now = here > before ? here : before;
  Floats sum[kSums / kLanes] = {};
  for (int v = 0; v < kChunkVectors; ++v) {
    const Floats weight = exp(score[v] - all(now));
    store(scores + v * kLanes, weight);
    sum[v % (kSums / kLanes)] = sum[v % (kSums / kLanes)] + weight;
  }
  if (now > before && begin > 0) {
    const Floats shrink = exp(all(before) - all(now));
    scale_vectors(work.outputs + row * work.value_stride, work.value_stride, shrink);
    work.sums[row] = mul(all(work.sums[row]), shrink)[0];
  }
  work.largest[row] = now;
  work.sums[row] += fold(sum, [](auto a, auto b) { return a + b; });
}

/// Rows [first, first + rows) over one chunk, rows <= kAttentionTileRows.
inline void attend_rows(const AttentionTask& task, const AttentionBuffers& work, std::int64_t first,
                        int rows, std::int64_t begin) {
  const auto seen = [&](std::int64_t row) {
    const std::int64_t tokens = task.first_position + row / task.group + 1 - begin;
    return tokens < kAttentionChunk ? tokens : kAttentionChunk;
  };
  const auto vectors = static_cast<int>(whole_vectors(seen(first + rows - 1)));
  for (std::int64_t i = 0; i < rows * kAttentionChunk; i += kLanes)
    store(work.scores + i, Floats{});
  multiply({work.queries + first * task.head_dim, task.head_dim, work.keys, kAttentionChunk,
            work.scores, kAttentionChunk},
           rows, task.head_dim, vectors);
  for (int r = 0; r < rows; ++r) {
    weigh(task, work, first + r, begin, seen(first + r), work.scores + r * kAttentionChunk);
  }
  // What all rows see at once, then what only the later ones see.
  const auto width = static_cast<int>(work.value_stride / kLanes);
  const std::int64_t common = seen(first);
  float* outputs = work.outputs + first * work.value_stride;
  multiply(
      {work.scores, kAttentionChunk, work.values, work.value_stride, outputs, work.value_stride},
      rows, common, width);
  for (int r = 1; r < rows; ++r) {
    if (seen(first + r) == common) continue;
    multiply({work.scores + r * kAttentionChunk + common, kAttentionChunk,
              work.values + common * work.value_stride, work.value_stride,
              outputs + r * work.value_stride, work.value_stride},
             1, seen(first + r) - common, width);
  }
}

template <typename Element>
inline void attend_with(const AttentionTask& task, const AttentionTask* next,
                        const AttentionBuffers& work) {
  const std::int64_t rows = static_cast<std::int64_t>(task.tokens) * task.group;
  const ChunkReader<Element> reader(task, next);
  start_rows(task, work);
  const std::int64_t end = last_position(task) + 1;
  for (std::int64_t begin = 0; begin < end; begin += kAttentionChunk) {
    const std::int64_t count = end - begin < kAttentionChunk ? end - begin : kAttentionChunk;
    reader.read_keys(begin, count, work.keys);
    reader.read_values(begin, count, work.values, work.value_stride);
    // Queries before this chunk have nothing to see in it.
    const std::int64_t past = begin > task.first_position ? begin - task.first_position : 0;
    for (std::int64_t row = past * task.group; row < rows;) {
      const std::int64_t left = rows - row;
      const std::int64_t tiles = (left + kAttentionTileRows - 1) / kAttentionTileRows;
      const auto taken = static_cast<int>((left + tiles - 1) / tiles);
      attend_rows(task, work, row, taken, begin);
      row += taken;
    }
  }
  finish_rows(task, work);
}

inline void attend_task(const AttentionTask& task, const AttentionTask* next,
                        const AttentionBuffers& work) {
  if (task.bf16) {
    attend_with<std::uint16_t>(task, next, work);
  } else {
    attend_with<float>(task, next, work);
  }
}

}  // namespace
}  // namespace tokenyard
