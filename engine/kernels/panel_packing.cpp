#include "engine/kernels/panel_packing.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "engine/kernels/bf16.hpp"
#include "sim/kernel/invariant.hpp"

namespace tokenyard {
namespace {

constexpr int kColumnsMost = 32;      // of a panel
constexpr std::int64_t kInputs = 64;  // of a block, an even number of an AMX tile's 32

/// Some rows of W by some of its columns (inputs), one row after another.
using Block = std::array<float, kColumnsMost * kInputs>;

/// Reads rows [first, first + count) of the stacked matrices; rows beyond the last are zero.
void read_block(std::span<const TensorView> stacked, std::int64_t first, int count,
                std::int64_t input, std::int64_t inputs, Block& block) {
  block.fill(0.0F);
  std::int64_t start = 0;  // of a matrix in the stack
  for (const TensorView& view : stacked) {
    const std::int64_t from = std::max(first, start);
    const std::int64_t to = std::min(first + count, start + view.rows);
    if (from < to) {
      view.read_block({.row = from - start, .rows = to - from, .column = input, .columns = inputs},
                      block.data() + (from - first) * kInputs, kInputs);
    }
    start += view.rows;
  }
}

template <typename Element>
void put(std::byte* out, std::int64_t index, Element value) {
  std::memcpy(out + index * static_cast<std::int64_t>(sizeof value), &value, sizeof value);
}

/// Pairs of inputs side by side; whole tiles, or the last pair, since the block holds zeros beyond
/// the last input.
void write_input_pairs(PanelFormat format, int columns, const Block& block, std::int64_t input,
                       std::int64_t inputs, std::byte* out) {
  const bool tiles = format == PanelFormat::bf16_tiles;
  const std::int64_t end = tiles ? (inputs + 31) / 32 * 32 : inputs;
  for (std::int64_t k = 0; k < end; k += 2) {
    const std::int64_t tile = (input + k) / 32 * (columns / 16);
    for (int j = 0; j < columns; ++j) {
      const std::uint32_t even = round_to_bf16(block[j * kInputs + k]);
      const std::uint32_t odd = round_to_bf16(block[j * kInputs + k + 1]);
      const std::int64_t place =
          tiles ? (tile + j / 16) * 256 + k % 32 / 2 * 16 + j % 16 : (input + k) / 2 * columns + j;
      put(out, place, even | odd << 16U);
    }
  }
}

/// Writes inputs [input, input + inputs) of a panel of `columns`.
void write_block(PanelFormat format, int columns, const Block& block, std::int64_t input,
                 std::int64_t inputs, std::byte* out) {
  const auto at = [&](std::int64_t column, std::int64_t k) { return block[column * kInputs + k]; };
  switch (format) {
    case PanelFormat::f32:
      for (std::int64_t k = 0; k < inputs; ++k) {
        for (int j = 0; j < columns; ++j) put(out, (input + k) * columns + j, at(j, k));
      }
      return;
    case PanelFormat::bf16_output_pairs:
      for (std::int64_t k = 0; k < inputs; ++k) {
        for (int j = 0; j < columns / 2; ++j) {
          const std::uint32_t low = round_to_bf16(at(j, k));
          const std::uint32_t high = round_to_bf16(at(j + columns / 2, k));
          put(out, (input + k) * (columns / 2) + j, low | high << 16U);
        }
      }
      return;
    case PanelFormat::bf16_input_pairs:
    case PanelFormat::bf16_tiles:
      write_input_pairs(format, columns, block, input, inputs, out);
      return;
  }
}

}  // namespace

std::size_t panel_bytes(PanelFormat format, int panel_columns, std::int64_t inner) {
  const auto columns = static_cast<std::size_t>(panel_columns);
  const auto inputs = static_cast<std::size_t>(inner);
  switch (format) {
    case PanelFormat::f32:
      return columns * inputs * 4;
    case PanelFormat::bf16_output_pairs:
      return columns * inputs * 2;
    case PanelFormat::bf16_input_pairs:
      return columns * ((inputs + 1) / 2) * 4;
    case PanelFormat::bf16_tiles:
      return columns * ((inputs + 31) / 32 * 32) * 2;
  }
  return 0;
}

void pack_panel(std::span<const TensorView> stacked, PanelFormat format, int panel_columns,
                std::int64_t panel, std::byte* out) {
  invariant(panel_columns <= kColumnsMost, "PackedMatrix", "a panel of {}", panel_columns);
  const std::int64_t inner = stacked.front().columns;
  Block block;
  for (std::int64_t input = 0; input < inner; input += kInputs) {
    const std::int64_t inputs = std::min(kInputs, inner - input);
    read_block(stacked, panel * panel_columns, panel_columns, input, inputs, block);
    write_block(format, panel_columns, block, input, inputs, out);
  }
}

}  // namespace tokenyard
