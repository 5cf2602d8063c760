#pragma once
// The inner loop of attention: a small matrix product in registers. For the files that may include
// simd.hpp.

#include "engine/kernels/simd.hpp"

namespace tokenyard {
namespace {

/// Most vectors of a tile's columns.
constexpr int kTileVectors = 4;

/// The same for a tile of `rows` rows, such that all sums, one row of B and an element of A stay in
/// registers.
constexpr int tile_vectors(int rows) {
  return kVectorRegisters == 32 || rows <= 2 ? kTileVectors : 2;
}

/// Operands of C += A B. Each vector of columns of B (and of what will be read next) has a place of
/// its own, since they may lie in different pages; C's follow one another.
template <typename Element>
struct Product {
  const float* a = nullptr;
  std::int64_t lda = 0;  ///< floats from one row to the next
  const Element* b[kTileVectors] = {};
  const Element* ahead[kTileVectors] = {};
  std::int64_t ldb = 0;
  float* c = nullptr;
  std::int64_t ldc = 0;
  bool from_zero = false;  ///< C = A B instead
};

/// C[rows, vectors] += A[rows, inner] B[inner, vectors]. An element of C has one accumulator, to
/// which the products are added one by one with the inner index ascending. So its bits depend on
/// neither the tile's shape nor its place, nor on how a sum is cut into several calls. With `fetch`
/// it asks for the lines ahead as it goes.
template <typename Vector, int rows, int vectors, bool fetch, typename Element>
inline void multiply_tile(const Product<Element>& p, std::int64_t inner) {
  constexpr int kWidth = sizeof(Vector) / sizeof(float);
  Vector sum[rows][vectors];
#pragma GCC unroll 6
  for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) {
      sum[r][v] = p.from_zero ? Vector{} : load<Vector>(p.c + r * p.ldc + v * kWidth);
    }
  }
  std::int64_t at = 0;
  for (std::int64_t i = 0; i < inner; ++i, at += p.ldb) {
    Vector row[vectors];
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) {
      row[v] = load<Vector>(p.b[v] + at);
      if (fetch) __builtin_prefetch(p.ahead[v] + at, 0, 2);
    }
#pragma GCC unroll 6
    for (int r = 0; r < rows; ++r) {
      const Vector element = all<Vector>(p.a[r * p.lda + i]);
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) sum[r][v] = fma(element, row[v], sum[r][v]);
    }
  }
#pragma GCC unroll 6
  for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) store(p.c + r * p.ldc + v * kWidth, sum[r][v]);
  }
}

/// The tile of 1 to `most` vectors.
template <typename Vector, int rows, bool fetch, typename Element, int most = tile_vectors(rows)>
inline void multiply_vectors(const Product<Element>& p, std::int64_t inner, int vectors) {
  if constexpr (most > 1) {
    if (vectors < most) {
      return multiply_vectors<Vector, rows, fetch, Element, most - 1>(p, inner, vectors);
    }
  }
  multiply_tile<Vector, rows, most, fetch>(p, inner);
}

/// The tile of 1 to `most` rows.
template <typename Vector, int most, bool fetch, typename Element>
inline void multiply(const Product<Element>& p, int rows, std::int64_t inner, int vectors) {
  if constexpr (most > 1) {
    if (rows < most) {
      return multiply<Vector, most - 1, fetch>(p, rows, inner, vectors);
    }
  }
  multiply_vectors<Vector, most, fetch>(p, inner, vectors);
}

/// The next of the parts, of at most `most`, into which `count` is cut such that the last two are
/// about equal: a small tile would wait for its own sums.
inline int next_part(std::int64_t count, int most) {
  if (count <= most) return static_cast<int>(count);
  return count >= 2 * most ? most : static_cast<int>(count + 1) / 2;
}

}  // namespace
}  // namespace tokenyard
