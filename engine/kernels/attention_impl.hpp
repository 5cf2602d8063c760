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

#include "engine/kernels/attention_sources.hpp"
#include "engine/kernels/simd_math.hpp"

namespace tokenyard {
namespace {

/// Up to so many rows read keys and values where they lie.
constexpr int kPagedRows = 16;

constexpr int kChunkVectors = kAttentionChunk / kLanes;

/// Calls `use(row, query or output of it)` for each row, with rows of tokens `stride` floats apart.
template <typename Float, typename Use>
inline void for_each_row(const AttentionTask& task, Float* first, std::int64_t stride, Use use) {
  std::int64_t row = 0;
  for (std::int64_t token = 0; token < task.tokens; ++token) {
    for (std::int64_t head = 0; head < task.group; ++head, ++row) {
      use(row, first + token * stride + head * task.head_dim);
    }
  }
}

inline void start_rows(const AttentionTask& task, const AttentionBuffers& work) {
  for_each_row(task, task.queries, task.query_stride, [&](std::int64_t row, const float* query) {
    float* scaled = work.queries + row * task.head_dim;
    for (std::int64_t d = 0; d < task.head_dim; ++d) scaled[d] = query[d] * task.scale;
    float* output = work.outputs + row * work.value_stride;
    for (std::int64_t d = 0; d < work.value_stride; ++d) output[d] = 0;
    work.largest[row] = -__builtin_inff();
    work.sums[row] = 0;
  });
}

inline void finish_rows(const AttentionTask& task, const AttentionBuffers& work) {
  for_each_row(task, task.outputs, task.output_stride, [&](std::int64_t row, float* to) {
    const float* output = work.outputs + row * work.value_stride;
    for (std::int64_t d = 0; d < task.head_dim; ++d) to[d] = output[d] / work.sums[row];
  });
}

/// A row as a chunk sees it.
struct RowView {
  std::int64_t row = 0;
  std::int64_t head = 0;  ///< of the group
  std::int64_t position = 0;
  std::int64_t seen = 0;  ///< tokens of the chunk up to its own position
  float* scores = nullptr;
};

inline Floats lane_numbers() {
  float lanes[kLanes];
  for (int i = 0; i < kLanes; ++i) lanes[i] = static_cast<float>(i);
  return load(lanes);
}

/// Adds slope x (token - query) to the scores.
inline void add_bias(const AttentionTask& task, std::int64_t begin, const RowView& view) {
  const float slope = task.slopes[view.head];
  const Floats back = lane_numbers() + static_cast<float>(begin - view.position);
  for (int v = 0; v < kChunkVectors; ++v) {
    float* at = view.scores + v * kLanes;
    store(at, fma(all(slope), back + static_cast<float>(v * kLanes), load(at)));
  }
}

/// Sets the scores of tokens behind the row's position to -infinity.
inline void mask(const RowView& view) {
  for (int v = 0; v < kChunkVectors; ++v) {
    float* at = view.scores + v * kLanes;
    const Floats number = lane_numbers() + static_cast<float>(v * kLanes);
    store(at, number < static_cast<float>(view.seen) ? load(at) : all(-__builtin_inff()));
  }
}

inline float largest_score(const float* scores) {
  Floats most[kSums / kLanes];
  for (int v = 0; v < kSums / kLanes; ++v) most[v] = load(scores + v * kLanes);
  for (int v = kSums / kLanes; v < kChunkVectors; ++v) {
    most[v % (kSums / kLanes)] = max(most[v % (kSums / kLanes)], load(scores + v * kLanes));
  }
  return fold(most, [](auto a, auto b) { return a > b ? a : b; });
}

/// Turns scores into weights e^(score - most) and gives their sum.
inline float weigh(float* scores, float most) {
  Floats sum[kSums / kLanes] = {};
  for (int v = 0; v < kChunkVectors; ++v) {
    const Floats weight = exp_of_negative(load(scores + v * kLanes) - most);
    store(scores + v * kLanes, weight);
    sum[v % (kSums / kLanes)] = sum[v % (kSums / kLanes)] + weight;
  }
  return fold(sum, [](auto a, auto b) { return a + b; });
}

/// Brings a row's sum and output to a new maximum.
inline void rescale(const AttentionBuffers& work, std::int64_t row, float before, float now) {
  const Floats shrink = exp_of_negative(all(before - now));
  float* output = work.outputs + row * work.value_stride;
  for (std::int64_t d = 0; d < work.value_stride; d += kLanes) {
    store(output + d, mul(load(output + d), shrink));
  }
  work.sums[row] = mul(all(work.sums[row]), shrink)[0];
}

/// The rows of a tile over one chunk.
template <typename Source>
inline void attend_tile(const AttentionTask& task, const AttentionBuffers& work,
                        const Source& source, const RowTile& tile, std::int64_t begin) {
  RowView views[kAttentionTileRows];
  float most[kAttentionTileRows];
  std::int64_t token =
      static_cast<std::uint32_t>(tile.first) / static_cast<std::uint32_t>(task.group);
  std::int64_t head = tile.first - token * task.group;
  for (int r = 0; r < tile.rows; ++r) {
    const std::int64_t position = task.first_position + token;
    const std::int64_t tokens = position + 1 - begin;
    views[r] = {tile.first + r, head, position, tokens < kAttentionChunk ? tokens : kAttentionChunk,
                work.scores + r * kAttentionChunk};
    if (++head == task.group) {
      head = 0;
      ++token;
    }
  }
  source.score(tile, views[tile.rows - 1].seen);
  for (int r = 0; r < tile.rows; ++r) {
    if (task.slopes != nullptr) add_bias(task, begin, views[r]);
    if (views[r].seen < kAttentionChunk) mask(views[r]);
    const float here = largest_score(views[r].scores);
    const float before = work.largest[views[r].row];
    most[r] = here > before ? here : before;
    if (most[r] > before && begin > 0) rescale(work, views[r].row, before, most[r]);
    work.largest[views[r].row] = most[r];
  }
  for (int r = 0; r < tile.rows; ++r) work.sums[views[r].row] += weigh(views[r].scores, most[r]);
  // What all rows see at once, then what only the later ones see.
  const std::int64_t common = views[0].seen;
  source.add_values(tile, work.scores, 0, common);
  for (int r = 1; r < tile.rows; ++r) {
    if (views[r].seen > common) {
      source.add_values({views[r].row, 1, 0}, views[r].scores, common, views[r].seen);
    }
  }
}

/// One KV head of a task.
inline AttentionTask head_of(const AttentionTask& task, std::int64_t head) {
  AttentionTask one = task;
  one.kv_heads = 1;
  one.keys_offset += head * task.head_bytes;
  one.values_offset += head * task.head_bytes;
  one.queries += head * task.group * task.head_dim;
  one.outputs += head * task.group * task.head_dim;
  if (one.slopes != nullptr) one.slopes += head * task.group;
  return one;
}

/// The working memory of its rows.
inline AttentionBuffers buffers_of(const AttentionTask& task, const AttentionBuffers& work,
                                   std::int64_t head) {
  const std::int64_t row = head * task.tokens * task.group;
  AttentionBuffers one = work;
  one.queries += row * task.head_dim;
  one.outputs += row * work.value_stride;
  one.largest += row;
  one.sums += row;
  return one;
}

/// The chunk that a task's KV head `head` sees at `begin`.
inline Chunk chunk_of(const AttentionTask& task, std::int64_t head, std::int64_t begin) {
  const std::int64_t left = last_position(task) + 1 - begin;
  return {head_of(task, head), begin, left < kAttentionChunk ? left : kAttentionChunk};
}

/// What comes after that: the next head, chunk or task. A chunk of all heads comes before the next
/// chunk, since the heads' pages are neighbours.
inline Chunk chunk_after(const AttentionTask& task, const AttentionTask* next, std::int64_t head,
                         std::int64_t begin) {
  if (head + 1 < task.kv_heads) return chunk_of(task, head + 1, begin);
  if (begin + kAttentionChunk <= last_position(task)) {
    return chunk_of(task, 0, begin + kAttentionChunk);
  }
  return next != nullptr ? chunk_of(*next, 0, 0) : chunk_of(task, head, begin);
}

template <typename Source>
inline void attend_chunk(const AttentionBuffers& work, const Chunk& chunk, const Chunk& ahead) {
  const AttentionTask& task = chunk.task;
  const Source source(work, chunk, ahead);
  // Queries before this chunk have nothing to see in it.
  const std::int64_t past =
      chunk.begin > task.first_position ? chunk.begin - task.first_position : 0;
  const std::int64_t rows = static_cast<std::int64_t>(task.tokens) * task.group;
  std::int64_t row = past * task.group;
  const std::int64_t tiles = (rows - row + Source::kRows - 1) / Source::kRows;
  for (std::int64_t tile = 0; tile < tiles; ++tile) {
    const int taken = next_part(rows - row, Source::kRows);
    attend_tile(task, work, source, {row, taken, fetches_of(tile, tiles)}, chunk.begin);
    row += taken;
  }
}

template <typename Source>
inline void attend_with(const AttentionTask& task, const AttentionTask* next,
                        const AttentionBuffers& work) {
  for (std::int64_t head = 0; head < task.kv_heads; ++head) {
    start_rows(head_of(task, head), buffers_of(task, work, head));
  }
  for (std::int64_t begin = 0; begin <= last_position(task); begin += kAttentionChunk) {
    for (std::int64_t head = 0; head < task.kv_heads; ++head) {
      attend_chunk<Source>(buffers_of(task, work, head), chunk_of(task, head, begin),
                           chunk_after(task, next, head, begin));
    }
  }
  for (std::int64_t head = 0; head < task.kv_heads; ++head) {
    finish_rows(head_of(task, head), buffers_of(task, work, head));
  }
}

template <typename Element>
inline void attend_elements(const AttentionTask& task, const AttentionTask* next,
                            const AttentionBuffers& work) {
  const auto fits = [&](int width) {
    return task.block_tokens % width == 0 && task.head_dim % width == 0;
  };
  if (task.tokens * task.group <= kPagedRows) {
    if (fits(kLanes)) return attend_with<PagedChunk<Element, Floats>>(task, next, work);
#if defined(__AVX512F__)
    if (fits(8)) return attend_with<PagedChunk<Element, Floats8>>(task, next, work);
#endif
  }
  attend_with<CopiedChunk<Element>>(task, next, work);
}

inline void attend_task(const AttentionTask& task, const AttentionTask* next,
                        const AttentionBuffers& work) {
  if (task.bf16) {
    attend_elements<std::uint16_t>(task, next, work);
  } else {
    attend_elements<float>(task, next, work);
  }
}

}  // namespace
}  // namespace tokenyard
