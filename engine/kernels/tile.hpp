#pragma once
// The inner loop of attention: a small matrix product in registers. For the files that may include
// simd.hpp.

#include "engine/kernels/simd.hpp"

namespace tokenyard {
namespace {

/// Most vectors of columns of a tile with `rows` rows: all sums, one row of B and an element of A
/// stay in registers.
constexpr int tile_vectors(int rows) {
  return kVectorRegisters == 32 || rows <= 2 ? 4 : 2;
}

/// Matrices with rows `lda`, `ldb` and `ldc` floats apart.
struct Product {
  const float* a = nullptr;
  std::int64_t lda = 0;
  const float* b = nullptr;
  std::int64_t ldb = 0;
  float* c = nullptr;
  std::int64_t ldc = 0;
};

/// C[rows, vectors x kLanes] += A[rows, inner] B. An element of C has one accumulator, to which the
/// products are added one by one with the inner index ascending. So its bits depend on neither the
/// tile's shape nor its place, nor on how a sum is cut into several calls.
template <int rows, int vectors>
inline void multiply_tile(const Product& p, std::int64_t inner) {
  Floats sum[rows][vectors];
#pragma GCC unroll 6
  for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) sum[r][v] = load(p.c + r * p.ldc + v * kLanes);
  }
  const float* b = p.b;
  for (std::int64_t i = 0; i < inner; ++i, b += p.ldb) {
    Floats row[vectors];
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) row[v] = load(b + v * kLanes);
#pragma GCC unroll 6
    for (int r = 0; r < rows; ++r) {
      const Floats element = all(p.a[r * p.lda + i]);
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) sum[r][v] = fma(element, row[v], sum[r][v]);
    }
  }
#pragma GCC unroll 6
  for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) store(p.c + r * p.ldc + v * kLanes, sum[r][v]);
  }
}

/// The same for any number of vectors of columns.
template <int rows>
inline void multiply_rows(Product p, std::int64_t inner, int vectors) {
  constexpr int kMost = tile_vectors(rows);
  while (vectors > 0) {
    // Tiles of even width, since a narrow one waits for its own sums.
    const int tiles = (vectors + kMost - 1) / kMost;
    const int width = (vectors + tiles - 1) / tiles;
    if (width == 4) {
      multiply_tile<rows, kMost>(p, inner);
    } else if (width == 3) {
      multiply_tile<rows, (kMost < 3 ? kMost : 3)>(p, inner);
    } else if (width == 2) {
      multiply_tile<rows, 2>(p, inner);
    } else {
      multiply_tile<rows, 1>(p, inner);
    }
    p.b += width * kLanes;
    p.c += width * kLanes;
    vectors -= width;
  }
}

/// The same for 1 to 6 rows.
inline void multiply(const Product& p, int rows, std::int64_t inner, int vectors) {
  switch (rows) {
    case 1:
      return multiply_rows<1>(p, inner, vectors);
    case 2:
      return multiply_rows<2>(p, inner, vectors);
    case 3:
      return multiply_rows<3>(p, inner, vectors);
    case 4:
      return multiply_rows<4>(p, inner, vectors);
    case 5:
      return multiply_rows<5>(p, inner, vectors);
    default:
      return multiply_rows<6>(p, inner, vectors);
  }
}

}  // namespace
}  // namespace tokenyard
