// The kernel for AMX: bf16 times bf16, summed in f32. A tile has 16 rows of 64 bytes. One
// instruction multiplies a tile of X, 16 rows by 32 inputs, by one of W, 32 inputs by 16 outputs;
// its order of additions is fixed by the architecture (Intel's Software Developer's Manual, volume
// 2, TDPBF16PS) and is the same for each row, whatever the other rows are.

#if defined(__AMX_BF16__)

#include <immintrin.h>

#include "engine/kernels/gemm_kernel.hpp"
#include "engine/kernels/gemm_tile.hpp"
#include "engine/kernels/round_inputs.hpp"

namespace tokenyard::amx {
namespace {

constexpr std::int64_t kTileRows = 16;
constexpr std::int64_t kTileInputs = 32;
constexpr std::int64_t kTileBytes = 1024;
constexpr std::int64_t kPanelColumns = 32;
constexpr std::int64_t kPanelBlockBytes = 2 * kTileBytes;
constexpr std::int64_t kRowCacheBytes = 1 << 20;  // of 2 MB of L2 cache on CPUs with AMX

struct Registers {
  using Type = float __attribute__((vector_size(64)));
  using Words = std::uint32_t __attribute__((vector_size(64)));
};
using V = Vectors<Registers>;

std::int64_t blocks_of(std::int64_t count, std::int64_t block) {
  return (count + block - 1) / block;
}

/// To [M / 16][K / 32][16][32] bf16; what is beyond the last row and input is zero.
void pack_rows(const PackPart& part) {
  const std::int64_t blocks = blocks_of(part.inner, kTileInputs);
  for (std::int64_t tile = 0; tile < blocks_of(part.rows, kTileRows); ++tile) {
    for (std::int64_t row = 0; row < kTileRows; ++row) {
      const std::int64_t at = tile * kTileRows + row;
      std::byte* to = part.packed + (tile * blocks * kTileRows + row) * 64;
      for (std::int64_t block = part.block_begin; block < part.block_end; ++block) {
        const std::int64_t k = block * kTileInputs;
        const __m512i inputs = at < part.rows
                                   ? round_inputs(part.x + at * part.x_stride + k, part.inner - k)
                                   : _mm512_setzero_si512();
        _mm512_storeu_si512(to + block * kTileBytes, inputs);
      }
    }
  }
}

/// Eight tiles of 16 rows of 64 bytes. Static, since the compiler is told of a read of some bytes
/// of it only.
struct alignas(64) TileConfig {
  std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
  std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
constexpr TileConfig kTileConfig;

/// One or two tiles of rows by one panel.
template <int kTiles>
void multiply_tiles(const GemmPart& part, RowTile rows, std::int64_t panel) {
  const std::int64_t blocks = blocks_of(part.inner, kTileInputs);
  const std::int64_t bytes = blocks * kPanelBlockBytes;
  const std::byte* weights = part.panels + panel * bytes;
  const std::byte* x = part.x + rows.first_row / kTileRows * blocks * kTileBytes;
  const std::byte* x_below = x + blocks * kTileBytes;
  Ahead ahead = fetch_ahead<V>({.weights = weights,
                                .bytes = bytes,
                                .lines_a_step = kPanelBlockBytes / 64,
                                .last = panel + 1 == part.panel_end},
                               rows, kTiles == 2);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (std::int64_t block = 0; block < blocks; ++block) {
    for (std::int64_t line = 0; line < ahead.lines; ++line, ahead.at += ahead.spacing) {
      __builtin_prefetch(ahead.at, 0, 2);
    }
    _tile_loadd(4, x + block * kTileBytes, 64);
    _tile_loadd(6, weights + block * kPanelBlockBytes, 64);
    _tile_loadd(7, weights + block * kPanelBlockBytes + kTileBytes, 64);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    if constexpr (kTiles == 2) {
      _tile_loadd(5, x_below + block * kTileBytes, 64);
      _tile_dpbf16ps(2, 5, 6);
      _tile_dpbf16ps(3, 5, 7);
    }
  }
  alignas(64) float sums[kTiles * kTileRows][kPanelColumns];
  _tile_stored(0, sums[0], sizeof sums[0]);
  _tile_stored(1, sums[0] + 16, sizeof sums[0]);
  if constexpr (kTiles == 2) {
    _tile_stored(2, sums[kTileRows], sizeof sums[0]);
    _tile_stored(3, sums[kTileRows] + 16, sizeof sums[0]);
  }
  const std::int64_t left = part.rows - rows.first_row;
  put_tile<V>(part, sums[0], rows.first_row, left < kTiles * kTileRows ? left : kTiles * kTileRows,
              panel);
}

void multiply_part(const GemmPart& part) {
  _tile_loadconfig(&kTileConfig);
  // Rows are taken in pairs of tiles; as many pairs as stay in the L2 cache, with a panel and the
  // next, go through a panel one after another.
  const std::int64_t pairs = blocks_of(part.rows, 2 * kTileRows);
  const std::int64_t pair_bytes = 2 * blocks_of(part.inner, kTileInputs) * kTileBytes;
  const std::int64_t fit = kRowCacheBytes / pair_bytes;
  const std::int64_t block = fit > 1 ? fit : 1;
  for (std::int64_t begin = 0; begin < pairs; begin += block) {
    const std::int64_t count = pairs - begin < block ? pairs - begin : block;
    for (std::int64_t panel = part.panel_begin; panel < part.panel_end; ++panel) {
      for (std::int64_t index = 0; index < count; ++index) {
        const std::int64_t first = (begin + index) * 2 * kTileRows;
        const RowTile rows{.first_row = first, .index = index, .count = count};
        if (part.rows - first > kTileRows) {
          multiply_tiles<2>(part, rows, panel);
        } else {
          multiply_tiles<1>(part, rows, panel);
        }
      }
    }
  }
  _tile_release();
}

}  // namespace

const GemmKernel kernel = {
    .format = PanelFormat::bf16_tiles,
    .panel_columns = kPanelColumns,
    .pack_block = kTileInputs,
    .row_block = kTileRows,
    .packed_element_bytes = 2,
    .packs_single_row = true,
    .pack = &pack_rows,
    .multiply = &multiply_part,
};

}  // namespace tokenyard::amx

#endif
