#pragma once
// The f32 kernels, once for all instruction sets. `Registers`, the vectors of one of them, is a
// type of an unnamed namespace: then what is instantiated here belongs to the including file alone,
// and the linker cannot give another file code that its CPU may not have. For the same reason
// nothing of the standard library is called here, and every function is a template.

#include <cstddef>
#include <cstdint>

#include "engine/kernels/gemm_kernel.hpp"

namespace tokenyard {

/// Registers has Type and Words, vectors (of the compiler's) of as many f32 and 32-bit words;
/// kRows, the most rows of a register tile, whose 2 kRows sums must fit the registers with some
/// operands; and multiply_add(sum, a, b).
template <typename Registers>
struct Vectors : Registers {
  using typename Registers::Type;
  using typename Registers::Words;
  static constexpr int kLanes = sizeof(Type) / sizeof(float);

  template <typename Vector = Type>
  static Vector load(const void* from) {
    Vector value;
    __builtin_memcpy(&value, from, sizeof value);
    return value;
  }
  static void store(float* to, Type value) { __builtin_memcpy(to, &value, sizeof value); }
  static Type broadcast(float value) { return value - Type{}; }  // unlike a sum, it keeps -0
  static Type low_halves(Words pairs) { return reinterpret_cast<Type>(pairs << 16U); }
  static Type high_halves(Words pairs) { return reinterpret_cast<Type>(pairs & 0xffff0000U); }
};

/// A panel of f32.
template <typename Of>
struct F32Panel {
  using V = Of;
  static constexpr PanelFormat kFormat = PanelFormat::f32;
  static constexpr int kBytesPerInput = 2 * V::kLanes * 4;
  static void load(const std::byte* at, typename V::Type& low, typename V::Type& high) {
    low = V::load(at);
    high = V::load(at + 4 * V::kLanes);
  }
};

/// A panel of bf16, widened on the way to the registers, which is exact.
template <typename Of>
struct Bf16Panel {
  using V = Of;
  static constexpr PanelFormat kFormat = PanelFormat::bf16_pairs;
  static constexpr int kBytesPerInput = V::kLanes * 4;
  static void load(const std::byte* at, typename V::Type& low, typename V::Type& high) {
    const auto pairs = V::template load<typename V::Words>(at);
    low = V::low_halves(pairs);
    high = V::high_halves(pairs);
  }
};

/// Rows of X are cut into tiles as equal as can be, of at most V::kRows rows; in `packed` a tile is
/// [K][rows of the tile], so that the kernel reads it from end to end.
template <typename V>
struct RowTiles {
  explicit RowTiles(std::int64_t rows)
      : count((rows + V::kRows - 1) / V::kRows), each(rows / count), more(rows % count) {}
  std::int64_t start(std::int64_t tile) const { return tile * each + (tile < more ? tile : more); }

  std::int64_t count, each, more;
};

template <typename V>
void pack_rows(const PackPart& part) {
  const RowTiles<V> tiles(part.rows);
  auto* packed = reinterpret_cast<float*>(part.packed);
  for (std::int64_t tile = 0; tile < tiles.count; ++tile) {
    const std::int64_t first = tiles.start(tile);
    const std::int64_t rows = tiles.start(tile + 1) - first;
    for (std::int64_t row = 0; row < rows; ++row) {
      const float* from = part.x + (first + row) * part.x_stride;
      float* to = packed + first * part.inner + row;
      for (std::int64_t k = part.block_begin; k < part.block_end; ++k) to[k * rows] = from[k];
    }
  }
}

/// Writes a register tile's sums, [rows][2 kLanes], to the outputs of one panel. Not inlined: it
/// would be there once for each height of a tile.
template <typename V>
[[gnu::noinline]] void put_tile(const GemmPart& part, const float* sums, std::int64_t first_row,
                                std::int64_t rows, std::int64_t panel) {
  constexpr std::int64_t kColumns = 2 * V::kLanes;
  const std::int64_t column = panel * kColumns;
  const std::int64_t left = part.columns - column;
  const float* bias = part.bias != nullptr ? part.bias + column : nullptr;
  for (std::int64_t row = 0; row < rows; ++row, sums += kColumns) {
    float* y = part.y + (first_row + row) * part.y_stride + column;
    std::int64_t i = 0;
    for (; i + V::kLanes <= left && i < kColumns; i += V::kLanes) {
      typename V::Type sum = V::load(sums + i);
      if (bias != nullptr) sum = sum + V::load(bias + i);
      V::store(y + i, part.add ? V::load(y + i) + sum : sum);
    }
    for (; i < left && i < kColumns; ++i) {
      const float sum = bias != nullptr ? sums[i] + bias[i] : sums[i];
      y[i] = part.add ? y[i] + sum : sum;
    }
  }
}

/// One register tile: kRows rows of X by one panel.
template <typename Panel, int kRows>
void multiply_tile(const GemmPart& part, std::int64_t first_row, std::int64_t panel) {
  using V = typename Panel::V;
  using Vector = typename V::Type;
  const std::byte* weights = part.panels + panel * part.inner * Panel::kBytesPerInput;
  const float* x = reinterpret_cast<const float*>(part.x) + first_row * part.inner;
  Vector sums[kRows][2];
#pragma GCC unroll 16
  for (int row = 0; row < kRows; ++row) sums[row][0] = sums[row][1] = Vector{};
  for (std::int64_t k = 0; k < part.inner; ++k) {
    Vector low, high;
    Panel::load(weights + k * Panel::kBytesPerInput, low, high);
#pragma GCC unroll 16
    for (int row = 0; row < kRows; ++row) {
      const Vector value = V::broadcast(x[k * kRows + row]);
      sums[row][0] = V::multiply_add(sums[row][0], value, low);
      sums[row][1] = V::multiply_add(sums[row][1], value, high);
    }
  }
  float values[kRows * 2 * V::kLanes];
#pragma GCC unroll 16
  for (int row = 0; row < kRows; ++row) {
    V::store(values + 2 * row * V::kLanes, sums[row][0]);
    V::store(values + (2 * row + 1) * V::kLanes, sums[row][1]);
  }
  put_tile<V>(part, values, first_row, kRows, panel);
}

/// The register tile of `rows` rows, which is at most kRows.
template <typename Panel, int kRows = Panel::V::kRows>
void multiply_rows(const GemmPart& part, std::int64_t first_row, std::int64_t rows,
                   std::int64_t panel) {
  if constexpr (kRows > 0) {
    if (rows == kRows) {
      multiply_tile<Panel, kRows>(part, first_row, panel);
    } else {
      multiply_rows<Panel, kRows - 1>(part, first_row, rows, panel);
    }
  }
}

template <typename Panel>
void multiply_part(const GemmPart& part) {
  const RowTiles<typename Panel::V> tiles(part.rows);
  for (std::int64_t panel = part.panel_begin; panel < part.panel_end; ++panel) {
    for (std::int64_t tile = 0; tile < tiles.count; ++tile) {
      const std::int64_t first = tiles.start(tile);
      multiply_rows<Panel>(part, first, tiles.start(tile + 1) - first, panel);
    }
  }
}

template <typename Panel>
constexpr GemmKernel kGemmKernel = {
    .format = Panel::kFormat,
    .panel_columns = 2 * Panel::V::kLanes,
    .pack = &pack_rows<typename Panel::V>,
    .multiply = &multiply_part<Panel>,
};

}  // namespace tokenyard
