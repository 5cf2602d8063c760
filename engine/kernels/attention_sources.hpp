#pragma once
// The two ways in which rows meet the keys and values of a chunk. With many rows the chunk is first
// copied together; few rows read it where it lies. Both add the same products in the same order.
// For the files that may include simd.hpp.

#include "engine/kernels/attention_pages.hpp"
#include "engine/kernels/tile.hpp"

namespace tokenyard {
namespace {

/// Consecutive rows that go through a chunk together.
struct RowTile {
  std::int64_t first = 0;
  int rows = 0;
  /// Bit v: what comes after the chunk is fetched where the tile meets vector v of each of its
  /// rows. The tiles share this, so that no more is asked for at a time than memory can give.
  unsigned fetches = 0;
};

/// The share of a chunk's tile number `tile` of `tiles`.
inline unsigned fetches_of(std::int64_t tile, std::int64_t tiles) {
  if (tiles == 1) return 0xfU;
  if (tiles == 2) return tile == 0 ? 0x5U : 0xaU;
  return tile < 4 ? 1U << tile : 0;
}

/// A chunk of `count` tokens from position `begin` on, of one KV head.
struct Chunk {
  AttentionTask task;
  std::int64_t begin = 0;
  std::int64_t count = 0;
};

inline std::int64_t rounded_up(std::int64_t count, std::int64_t unit) {
  return (count + unit - 1) / unit * unit;
}

/// Keys and values copied to dense f32 matrices, for any block size and head_dim.
template <typename Element>
class CopiedChunk {
 public:
  static constexpr int kRows = kAttentionTileRows;

  /// `ahead` is what will be read after it.
  CopiedChunk(const AttentionBuffers& work, const Chunk& chunk, const Chunk& ahead)
      : task_(chunk.task), work_(work) {
    copy_keys(chunk, Cursor<Element>(ahead.task, ahead.begin));
    copy_values(chunk, Cursor<Element>(ahead.task, ahead.begin));
  }

  /// The products of a tile's queries with the first `tokens` keys; more may be written.
  void score(const RowTile& tile, std::int64_t tokens) const {
    Product<float> product;
    product.a = work_.queries + tile.first * task_.head_dim;
    product.lda = task_.head_dim;
    product.ldb = product.ldc = kAttentionChunk;
    product.from_zero = true;
    multiply_all(product, work_.keys, work_.scores, tile.rows, task_.head_dim,
                 rounded_up(tokens, kLanes));
  }

  /// Adds the values of tokens [from, to), weighted, to the outputs of a tile's rows. `weights` is
  /// of the first of them.
  void add_values(const RowTile& tile, const float* weights, std::int64_t from,
                  std::int64_t to) const {
    Product<float> product;
    product.a = weights + from;
    product.lda = kAttentionChunk;
    product.ldb = product.ldc = work_.value_stride;
    multiply_all(product, work_.values + from * work_.value_stride,
                 work_.outputs + tile.first * work_.value_stride, tile.rows, to - from,
                 rounded_up(task_.head_dim, kLanes));
  }

 private:
  /// To [dim][kAttentionChunk]. Columns behind the last token hold anything.
  void copy_keys(const Chunk& chunk, Cursor<Element> ahead) const {
    Cursor<Element> at(task_, chunk.begin);
    for (std::int64_t done = 0; done < chunk.count;) {
      // Whole vectors where the block has them: what is behind the last token does no harm.
      std::int64_t run = rounded_up(chunk.count - done, kLanes);
      if (run > at.left_in_group()) run = at.left_in_group();
      if (run > kAttentionChunk - done) run = kAttentionChunk - done;
      copy_piece<Element>({at.keys(), ahead.keys(), task_.head_dim, run, task_.key_tokens},
                          work_.keys + done, kAttentionChunk);
      done += run;
      at.move(run);
      ahead.move(run);
    }
  }

  /// To [kAttentionChunk][value_stride]. Columns behind the head's hold anything.
  void copy_values(const Chunk& chunk, Cursor<Element> ahead) const {
    Cursor<Element> at(task_, chunk.begin);
    for (std::int64_t done = 0; done < chunk.count;) {
      std::int64_t run = chunk.count - done;
      if (run > at.left_in_block()) run = at.left_in_block();
      copy_piece<Element>({at.values(), ahead.values(), run, task_.head_dim, task_.head_dim},
                          work_.values + done * work_.value_stride, work_.value_stride);
      done += run;
      at.move(run);
      ahead.move(run);
    }
  }

  static void multiply_all(Product<float>& product, const float* b, float* c, int rows,
                           std::int64_t inner, std::int64_t columns) {
    for (std::int64_t column = 0; column < columns;) {
      const int vectors = next_part((columns - column) / kLanes, tile_vectors(rows));
      for (int v = 0; v < vectors; ++v) product.b[v] = b + column + v * kLanes;
      product.c = c + column;
      multiply<Floats, kRows, false>(product, rows, inner, vectors);
      column += vectors * kLanes;
    }
  }

  const AttentionTask& task_;
  const AttentionBuffers& work_;
};

/// Keys and values where they lie. The width of `Vector` divides block_tokens and head_dim.
template <typename Element, typename Vector>
class PagedChunk {
 public:
  static constexpr int kRows = 4;

  PagedChunk(const AttentionBuffers& work, const Chunk& chunk, const Chunk& ahead)
      : task_(chunk.task),
        work_(work),
        begin_(chunk.task, chunk.begin),
        ahead_(ahead.task, ahead.begin) {}

  /// As CopiedChunk's.
  void score(const RowTile& tile, std::int64_t tokens) const {
    Product<Element> product;
    product.a = work_.queries + tile.first * task_.head_dim;
    product.lda = task_.head_dim;
    product.ldb = task_.key_tokens;
    product.ldc = kAttentionChunk;
    product.from_zero = true;
    Cursor<Element> at = begin_, ahead = ahead_;
    for (std::int64_t token = 0; token < tokens;) {
      const int vectors =
          next_part((tokens - token + kWidth - 1) / kWidth, tile_vectors(tile.rows));
      for (int v = 0; v < vectors; ++v) {
        product.b[v] = at.keys();
        product.ahead[v] = (tile.fetches >> v & 1U) != 0 ? ahead.keys() : product.b[v];
        at.move(kWidth);
        ahead.move(kWidth);
      }
      product.c = work_.scores + token;
      multiply<Vector, kRows, true>(product, tile.rows, task_.head_dim, vectors);
      token += vectors * kWidth;
    }
  }

  void add_values(const RowTile& tile, const float* weights, std::int64_t from,
                  std::int64_t to) const {
    Product<Element> product;
    product.lda = kAttentionChunk;
    product.ldb = task_.head_dim;
    product.ldc = work_.value_stride;
    Cursor<Element> at = begin_, ahead = ahead_;
    for (std::int64_t token = 0; token < to;) {
      std::int64_t run = at.left_in_block();
      if (token < from && run > from - token) run = from - token;
      if (run > to - token) run = to - token;
      if (token >= from) {
        product.a = weights + token;
        add_run(product, tile, at.values(), ahead.values(), run);
      }
      token += run;
      at.move(run);
      ahead.move(run);
    }
  }

 private:
  static constexpr int kWidth = sizeof(Vector) / sizeof(float);

  /// The values of `tokens` tokens that follow one another in a block.
  void add_run(Product<Element>& product, const RowTile& tile, const Element* values,
               const Element* ahead, std::int64_t tokens) const {
    for (std::int64_t column = 0; column < task_.head_dim;) {
      const int vectors = next_part((task_.head_dim - column) / kWidth, tile_vectors(tile.rows));
      for (int v = 0; v < vectors; ++v) {
        product.b[v] = values + column + v * kWidth;
        product.ahead[v] = ((tile.fetches >> v & 1U) != 0 ? ahead : values) + column + v * kWidth;
      }
      product.c = work_.outputs + tile.first * work_.value_stride + column;
      multiply<Vector, kRows, true>(product, tile.rows, tokens, vectors);
      column += vectors * kWidth;
    }
  }

  const AttentionTask& task_;
  const AttentionBuffers& work_;
  Cursor<Element> begin_;
  Cursor<Element> ahead_;
};

}  // namespace
}  // namespace tokenyard
