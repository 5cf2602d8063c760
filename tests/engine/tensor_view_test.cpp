#include "engine/weights/tensor_view.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

namespace tokenyard {
namespace {

std::vector<float> row(const TensorView& view, std::int64_t index) {
  std::vector<float> values(static_cast<std::size_t>(view.columns));
  view.read_row(index, values);
  return values;
}

const std::byte* bytes(const auto& values) {
  return reinterpret_cast<const std::byte*>(values.data());
}

// Would catch: rows or columns taken for one another in a transposed matrix (GPT-2).
TEST(TensorView, ReadsATransposedMatrix) {
  const std::vector<float> stored{1, 2, 3, 4, 5, 6};  // [in 2, out 3]
  TensorView view = TensorView::plain(bytes(stored), ElementType::f32, 3, 2);
  view.row_stride = view.group_stride = 1;
  view.column_stride = 3;
  EXPECT_EQ(row(view, 0), (std::vector<float>{1, 4}));
  EXPECT_EQ(row(view, 2), (std::vector<float>{3, 6}));
}

// Would catch: heads mixed up where query, key and value are fused head by head (BLOOM).
TEST(TensorView, ReadsOneOfThreeMatricesFusedHeadByHead) {
  std::vector<float> stored(2 * 3 * 2);  // 2 heads x (query, key, value) x head_dim 2, 1 column
  for (std::size_t i = 0; i < stored.size(); ++i) stored[i] = static_cast<float>(i);
  TensorView key = TensorView::plain(bytes(stored) + 2 * sizeof(float), ElementType::f32, 4, 1);
  key.group_rows = 2;
  key.group_stride = 6;
  EXPECT_EQ(row(key, 0)[0], 2);
  EXPECT_EQ(row(key, 1)[0], 3);
  EXPECT_EQ(row(key, 2)[0], 8);
  EXPECT_EQ(row(key, 3)[0], 9);
}

// Would catch: half floats off by an exponent, subnormals flushed, infinities and signs lost.
TEST(TensorView, WidensHalfFloatsExactly) {
  const std::vector<std::uint16_t> f16{0x3c00, 0xc000, 0x0001, 0x7bff, 0xfc00, 0x8000};
  const auto values = row(TensorView::plain(bytes(f16), ElementType::f16, 1, 6), 0);
  EXPECT_EQ(values[0], 1.0F);
  EXPECT_EQ(values[1], -2.0F);
  EXPECT_EQ(values[2], std::ldexp(1.0F, -24));
  EXPECT_EQ(values[3], 65504.0F);
  EXPECT_EQ(values[4], -INFINITY);
  EXPECT_TRUE(values[5] == 0.0F && std::signbit(values[5]));
  const std::vector<std::uint16_t> bf16{0x3f80, 0xc049};
  const auto brief = row(TensorView::plain(bytes(bf16), ElementType::bf16, 1, 2), 0);
  EXPECT_EQ(brief[0], 1.0F);
  EXPECT_EQ(brief[1], -3.140625F);
}

// Would catch: a data section that does not begin at a multiple of four read as if it did.
TEST(TensorView, ReadsUnalignedData) {
  std::vector<std::byte> stored(9);
  const auto bits = std::bit_cast<std::array<std::byte, 4>>(2.5F);
  std::copy(bits.begin(), bits.end(), stored.begin() + 1);
  const auto view = TensorView::plain(stored.data() + 1, ElementType::f32, 1, 1);
  EXPECT_EQ(row(view, 0)[0], 2.5F);
}

// Would catch: a block of another place, or of a layout that its shortcut by columns gets wrong.
TEST(TensorView, ReadsABlockAsItReadsItsRows) {
  std::vector<float> stored(400);
  for (std::size_t i = 0; i < stored.size(); ++i) stored[i] = static_cast<float>(i);
  const TensorView rows = TensorView::plain(bytes(stored), ElementType::f32, 12, 10);
  TensorView transposed = rows, heads = rows, transposed_heads = rows;
  transposed.row_stride = transposed.group_stride = 1;
  transposed.column_stride = 12;
  heads.group_rows = 3;
  heads.group_stride = 9 * 10;
  transposed_heads.row_stride = 1;
  transposed_heads.column_stride = 36;
  transposed_heads.group_rows = 3;
  transposed_heads.group_stride = 9;
  for (const TensorView& view : {rows, transposed, heads, transposed_heads}) {
    std::vector<float> out(7 * 5, -1.0F);
    view.read_block({.row = 2, .rows = 7, .column = 4, .columns = 4}, out.data(), 5);
    for (std::int64_t r = 0; r < 7; ++r) {
      for (std::int64_t c = 0; c < 4; ++c) {
        EXPECT_EQ(out[static_cast<std::size_t>(r * 5 + c)], row(view, 2 + r)[4 + c]);
      }
      EXPECT_EQ(out[static_cast<std::size_t>(r * 5 + 4)], -1.0F);
    }
  }
}

}  // namespace
}  // namespace tokenyard
