#pragma once
// The kernels on vectors, once for all instruction sets; see gemm_tile.hpp for how they are kept
// apart.

#include <cstddef>
#include <cstdint>

#include "engine/kernels/gemm_kernel.hpp"
#include "engine/kernels/gemm_tile.hpp"

namespace tokenyard {

/// Inputs of X as they are, to be multiplied one by one.
template <typename Of>
struct SingleInputs {
  using V = Of;
  static constexpr int kBlockInputs = 1;
  /// Puts blocks [begin, end) of a row to `to`, `apart` elements from one another.
  static void pack_row(const float* x, std::int64_t /*inner*/, std::int64_t begin, std::int64_t end,
                       std::byte* to, std::int64_t apart) {
    auto* values = reinterpret_cast<float*>(to);
    for (std::int64_t k = begin; k < end; ++k) values[k * apart] = x[k];
  }
};

/// A panel of f32.
template <typename Of>
struct F32Panel : SingleInputs<Of> {
  using V = Of;
  static constexpr PanelFormat kFormat = PanelFormat::f32;
  static constexpr int kBlockBytes = 2 * V::kLanes * 4;
  static void load(const std::byte* at, typename V::Type& low, typename V::Type& high) {
    low = V::load(at);
    high = V::load(at + 4 * V::kLanes);
  }
};

/// A panel of bf16, widened on the way to the registers, which is exact.
template <typename Of>
struct Bf16Panel : SingleInputs<Of> {
  using V = Of;
  static constexpr PanelFormat kFormat = PanelFormat::bf16_output_pairs;
  static constexpr int kBlockBytes = V::kLanes * 4;
  static void load(const std::byte* at, typename V::Type& low, typename V::Type& high) {
    const auto pairs = V::template load<typename V::Words>(at);
    low = V::low_halves(pairs);
    high = V::high_halves(pairs);
  }
};

/// Blocks of inputs (one, or a pair) of a row of X; the last may be padded.
template <typename Panel>
std::int64_t blocks_of(std::int64_t inner) {
  return (inner + Panel::kBlockInputs - 1) / Panel::kBlockInputs;
}

/// Rows of X are cut into tiles as equal as can be, of at most V::kRows rows; in `packed` a tile is
/// [blocks][rows of the tile] of four bytes, so that the kernel reads it from end to end.
template <typename V>
struct RowTiles {
  explicit RowTiles(std::int64_t rows)
      : count((rows + V::kRows - 1) / V::kRows), each(rows / count), more(rows % count) {}
  std::int64_t start(std::int64_t tile) const { return tile * each + (tile < more ? tile : more); }

  std::int64_t count, each, more;
};

template <typename Panel>
void pack_rows(const PackPart& part) {
  const RowTiles<typename Panel::V> tiles(part.rows);
  const std::int64_t blocks = blocks_of<Panel>(part.inner);
  for (std::int64_t tile = 0; tile < tiles.count; ++tile) {
    const std::int64_t first = tiles.start(tile);
    const std::int64_t rows = tiles.start(tile + 1) - first;
    for (std::int64_t row = 0; row < rows; ++row) {
      Panel::pack_row(part.x + (first + row) * part.x_stride, part.inner, part.block_begin,
                      part.block_end, part.packed + (first * blocks + row) * 4, rows);
    }
  }
}

/// Whether a tile of kRows rows has at least 96 blocks to multiply for each cache line of weights.
template <typename Panel, int kRows>
constexpr bool kBusy = kRows * 2 * Panel::V::kLanes * 64 >= 96 * Panel::kBlockBytes;

/// One register tile: kRows rows of X by one panel.
template <typename Panel, int kRows>
void multiply_tile(const GemmPart& part, RowTile tile, std::int64_t panel) {
  using V = typename Panel::V;
  using Vector = typename V::Type;
  const std::int64_t blocks = blocks_of<Panel>(part.inner);
  const std::int64_t stride = blocks * Panel::kBlockBytes;
  const std::byte* weights = part.panels + panel * stride;
  const std::byte* x = part.x + tile.first_row * blocks * 4;
  Vector sums[kRows][2];
#pragma GCC unroll 16
  for (int row = 0; row < kRows; ++row) sums[row][0] = sums[row][1] = Vector{};
  const auto add_products = [&](std::int64_t block) __attribute__((always_inline)) {
    Vector low, high;
    Panel::load(weights + block * Panel::kBlockBytes, low, high);
#pragma GCC unroll 16
    for (int row = 0; row < kRows; ++row) {
      const Vector value = V::broadcast(x + (block * kRows + row) * 4);
      sums[row][0] = V::multiply_add(sums[row][0], value, low);
      sums[row][1] = V::multiply_add(sums[row][1], value, high);
    }
  };
  constexpr int kStepLines = 8;
  constexpr int kStepBlocks = kStepLines * 64 / Panel::kBlockBytes;
  Ahead ahead = fetch_ahead<V>({.weights = weights,
                                .bytes = stride,
                                .lines_a_step = kStepLines,
                                .last = panel + 1 == part.panel_end},
                               tile, kBusy<Panel, kRows>);
  std::int64_t block = 0;
  while (block + kStepBlocks <= blocks) {
    for (std::int64_t line = 0; line < ahead.lines; ++line, ahead.at += ahead.spacing) {
      __builtin_prefetch(ahead.at, 0, 2);
    }
#pragma GCC unroll 4
    for (int i = 0; i < kStepBlocks; ++i, ++block) add_products(block);
  }
  for (; block < blocks; ++block) add_products(block);
  float values[kRows][2][V::kLanes];
#pragma GCC unroll 16
  for (int row = 0; row < kRows; ++row) {
    V::store(values[row][0], sums[row][0]);
    V::store(values[row][1], sums[row][1]);
  }
  put_tile<V>(part, values[0][0], tile.first_row, kRows, panel);
}

/// The register tiles of `rows` rows, which are at most kRows, and panels [begin, end).
template <typename Panel, int kRows = Panel::V::kRows>
void multiply_rows(const GemmPart& part, RowTile tile, std::int64_t rows, std::int64_t begin,
                   std::int64_t end) {
  if constexpr (kRows > 0) {
    if (rows == kRows) {
      for (std::int64_t panel = begin; panel < end; ++panel) {
        multiply_tile<Panel, kRows>(part, tile, panel);
      }
    } else {
      multiply_rows<Panel, kRows - 1>(part, tile, rows, begin, end);
    }
  }
}

template <typename Panel>
void multiply_part(const GemmPart& part) {
  const RowTiles<typename Panel::V> tiles(part.rows);
  // One tile goes through all panels; several go through a panel while it is in the cache.
  const std::int64_t at_once = tiles.count == 1 ? part.panel_end - part.panel_begin : 1;
  for (std::int64_t panel = part.panel_begin; panel < part.panel_end; panel += at_once) {
    for (std::int64_t index = 0; index < tiles.count; ++index) {
      const std::int64_t first = tiles.start(index);
      const RowTile tile{.first_row = first, .index = index, .count = tiles.count};
      multiply_rows<Panel>(part, tile, tiles.start(index + 1) - first, panel, panel + at_once);
    }
  }
}

template <typename Panel>
constexpr GemmKernel kGemmKernel = {
    .format = Panel::kFormat,
    .panel_columns = 2 * Panel::V::kLanes,
    .pack_block = Panel::kBlockInputs,
    .packed_element_bytes = 4 / Panel::kBlockInputs,
    .packs_single_row = Panel::kBlockInputs > 1,
    .pack = &pack_rows<Panel>,
    .multiply = &multiply_part<Panel>,
};

}  // namespace tokenyard
