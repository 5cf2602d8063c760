#pragma once
// What the kernels of all instruction sets do around their inner loop: vectors, fetching weights
// ahead, and writing results. `Registers`, the vectors of one instruction set, is a type of an
// unnamed namespace: then what is instantiated here belongs to the including file alone, and the
// linker cannot give another file code that its CPU may not have. For the same reason nothing of
// the standard library is called here, and every function is a template.

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
  /// In all lanes the four bytes at `from`, whatever they mean.
  static Type broadcast(const void* from) {
    std::uint32_t word;
    __builtin_memcpy(&word, from, sizeof word);
    return reinterpret_cast<Type>(Words{} + word);
  }
  static Type low_halves(Words pairs) { return reinterpret_cast<Type>(pairs << 16U); }
  static Type high_halves(Words pairs) { return reinterpret_cast<Type>(pairs & 0xffff0000U); }
};

/// Which rows of X a register tile is for: one of `count` tiles that go through a panel one after
/// another.
struct RowTile {
  std::int64_t first_row = 0;
  std::int64_t index = 0;
  std::int64_t count = 1;
};

/// A panel of the weights, as a register tile reads it: in steps of some cache lines.
struct PanelSteps {
  const std::byte* weights = nullptr;
  std::int64_t bytes = 0;
  std::int64_t lines_a_step = 0;
  bool last = false;  ///< of those that this worker reads
};

/// Weights to be fetched into the L2 cache meanwhile: at each step `lines` cache lines from `at`
/// on, `spacing` bytes apart.
struct Ahead {
  const std::byte* at = nullptr;
  std::int64_t lines = 0;
  std::int64_t spacing = 64;
};

/// What pays is found by measuring. A tile that has little to compute for each line of weights (it
/// is not `busy`) reads them from end to end and waits for memory; it touches every second line a
/// page ahead and leaves the others to the CPU's own prefetcher, which fetches lines in pairs. A
/// busy one fetches all of what it will need, far ahead. Where several tiles go through a panel,
/// each fetches its share of the next one, so that memory is never idle.
template <typename V>
Ahead fetch_ahead(PanelSteps panel, RowTile tile, bool busy) {
  constexpr std::int64_t kLine = 64;
  if (tile.count == 1 && busy) {
    return {.at = panel.weights + 32 * 1024, .lines = panel.lines_a_step};
  }
  if (tile.count == 1) {
    return {.at = panel.weights + 4 * 1024, .lines = panel.lines_a_step / 2, .spacing = 2 * kLine};
  }
  const std::int64_t lines = (panel.lines_a_step + tile.count - 1) / tile.count;
  const std::int64_t steps = panel.bytes / (panel.lines_a_step * kLine);
  const std::int64_t begin = tile.index * steps * lines * kLine;
  if (panel.last || begin >= panel.bytes) return {};
  return {.at = panel.weights + panel.bytes + begin, .lines = lines};
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

}  // namespace tokenyard
