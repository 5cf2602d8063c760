#pragma once
// What the kernels of all instruction sets have in common: how their operands lie and how they are
// called. Included by files that are compiled for one instruction set, so it holds plain data only:
// an inline function here could end up in the program as those files' copy of it.

#include <cstddef>
#include <cstdint>

namespace tokenyard {

/// How an element of the packed weights is stored. A panel is `panel_columns` = P outputs of the
/// matrix (P rows of W) over all K inputs; k is its outer dimension, so a panel is read from end
/// to end.
enum class PanelFormat : std::uint8_t {
  f32,  ///< [K][P] f32
  /// [K][P / 2] words: output j in the lower half, output j + P / 2 in the upper one
  bf16_output_pairs,
  /// [K / 2][P] words: an even input in the lower half, the one after it in the upper one
  bf16_input_pairs,
  bf16_tiles,  ///< [K / 32][P / 16][16][16][2]: AMX tiles; k = 32 a + 2 c + e at [a][.][c][.][e]
};

/// Y = X W^T for some of a matrix's panels and all rows of X, by one worker.
struct GemmPart {
  const std::byte* panels = nullptr;  ///< all of the matrix
  const std::byte* x = nullptr;       ///< packed by the same kernel
  float* y = nullptr;                 ///< [rows, columns]
  std::int64_t y_stride = 0;
  std::int64_t rows = 0;     ///< M, at least 1
  std::int64_t columns = 0;  ///< N; the last panel may hold fewer than P
  std::int64_t inner = 0;    ///< K
  std::int64_t panel_begin = 0;
  std::int64_t panel_end = 0;
  const float* bias = nullptr;  ///< [columns], or none
  bool add = false;             ///< to what is in y
};

/// Some of the inputs of all rows of X, to be packed by one worker.
struct PackPart {
  const float* x = nullptr;  ///< [rows, inner]
  std::int64_t x_stride = 0;
  std::int64_t rows = 0;
  std::int64_t inner = 0;
  std::int64_t block_begin = 0;  ///< in blocks of `GemmKernel::pack_block` inputs
  std::int64_t block_end = 0;
  std::byte* packed = nullptr;
};

/// One way to multiply. Each output has one accumulator, to which the products are added with k
/// ascending, whatever the number of rows, the row's place among them and the panels asked for;
/// then comes the bias, then what was in y.
struct GemmKernel {
  PanelFormat format = PanelFormat::f32;
  int panel_columns = 0;
  int pack_block = 1;  ///< inputs; K is padded with zeros to a multiple in `packed`
  int row_block = 1;   ///< rows; M is padded to a multiple in `packed`
  int packed_element_bytes = 4;
  bool packs_single_row = false;  ///< else one row is taken as it lies
  void (*pack)(const PackPart&) = nullptr;
  void (*multiply)(const GemmPart&) = nullptr;
};

namespace baseline {
extern const GemmKernel f32_kernel, bf16_kernel;
}
namespace avx2 {
extern const GemmKernel f32_kernel, bf16_kernel;
}
namespace avx512 {
extern const GemmKernel f32_kernel, bf16_kernel;
}
namespace avx512_bf16 {
extern const GemmKernel kernel;
}
namespace amx {
extern const GemmKernel kernel;
}

}  // namespace tokenyard
