#pragma once
// Matrices for tests of the matrix product, and the kernels to be tested.

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/kernels/cpu_features.hpp"
#include "engine/kernels/packed_matrix.hpp"
#include "engine/weights/tensor_view.hpp"
#include "sim/kernel/rng.hpp"

namespace tokenyard {

/// A kernel: what it stores, and on which CPU it is the one chosen.
struct GemmTier {
  GemmKind kind;
  CpuLevel level;

  bool runs_here() const { return cpu_level() >= level; }
  std::string name() const {
    return std::string(gemm_kind_name(kind)) + "_on_" + std::string(cpu_level_name(level));
  }
};

inline const std::vector<GemmTier>& gemm_tiers() {
  static const std::vector<GemmTier> all = {
      {GemmKind::f32, CpuLevel::baseline},
      {GemmKind::f32, CpuLevel::avx2},
      {GemmKind::f32, CpuLevel::avx512},
      {GemmKind::bf16, CpuLevel::baseline},
      {GemmKind::bf16, CpuLevel::avx2},
      {GemmKind::bf16, CpuLevel::avx512},
      {GemmKind::bf16_dot, CpuLevel::avx512_bf16},
      {GemmKind::bf16_dot, CpuLevel::amx_bf16},
  };
  return all;
}

/// `count` numbers from -1 to 1, the same ones for the same name.
inline std::vector<float> random_floats(const std::string& name, std::int64_t count) {
  Rng rng = named_stream(1, name);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) {
    value = static_cast<float>(static_cast<std::int64_t>(rng() >> 40U) - (1 << 23)) * 0x1p-23F;
  }
  return values;
}

inline TensorView view_of(const std::vector<float>& values, std::int64_t rows,
                          std::int64_t columns) {
  return TensorView::plain(reinterpret_cast<const std::byte*>(values.data()), ElementType::f32,
                           rows, columns);
}

/// X W^T by `matrix`, in rows without gaps; x has as many rows as fit its size.
inline std::vector<float> product(const PackedMatrix& matrix, const std::vector<float>& x,
                                  Workers& workers, const Epilogue& epilogue = {}) {
  const auto rows = static_cast<std::int64_t>(x.size()) / matrix.columns();
  std::vector<float> y(static_cast<std::size_t>(rows * matrix.rows()));
  multiply(matrix, {x.data(), rows, matrix.columns()}, {y.data(), matrix.rows()}, workers,
           epilogue);
  return y;
}

/// Row `row` of a matrix of `columns`.
inline std::vector<float> row_of(const std::vector<float>& matrix, std::int64_t row,
                                 std::int64_t columns) {
  const auto begin = matrix.begin() + row * columns;
  return {begin, begin + columns};
}

/// Equality of bits: a NaN equals itself, 0 does not equal -0.
inline bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  const auto same = [](float x, float y) {
    return std::bit_cast<std::uint32_t>(x) == std::bit_cast<std::uint32_t>(y);
  };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), same);
}

}  // namespace tokenyard
