#include "engine/weights/tensor_view.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "sim/kernel/invariant.hpp"

namespace tokenyard {
namespace {

float read_f16(std::uint16_t bits) {
  const std::uint32_t sign = (bits & 0x8000U) << 16U;
  const std::uint32_t exponent = (bits >> 10U) & 0x1fU;
  const std::uint32_t fraction = bits & 0x3ffU;
  if (exponent == 0) {  // zero or subnormal: fraction x 2^-24
    const float size = static_cast<float>(fraction) * 0x1p-24F;
    return sign != 0 ? -size : size;
  }
  const std::uint32_t wide = exponent == 31 ? 255 : exponent + 112;
  return std::bit_cast<float>(sign | (wide << 23U) | (fraction << 13U));
}

float read_f32(std::uint32_t bits) {
  return std::bit_cast<float>(bits);
}

float read_bf16(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16U);
}

/// Element by element, so that data need not be aligned in its file. Strides are in elements; those
/// of 1 have a loop of their own, which the compiler turns into vectors.
template <typename Bits, float (*kWiden)(Bits)>
void read(const std::byte* from, std::int64_t stride, float* out, std::int64_t out_stride,
          std::int64_t count) {
  const auto element = [&](std::int64_t at) {
    Bits bits;
    std::memcpy(&bits, from + at * static_cast<std::int64_t>(sizeof bits), sizeof bits);
    return kWiden(bits);
  };
  if (stride == 1 && out_stride == 1) {
    for (std::int64_t i = 0; i < count; ++i) out[i] = element(i);
  } else {
    for (std::int64_t i = 0; i < count; ++i) out[i * out_stride] = element(i * stride);
  }
}

void read(ElementType type, const std::byte* data, std::int64_t at, std::int64_t stride, float* out,
          std::int64_t out_stride, std::int64_t count) {
  const std::byte* from = data + at * static_cast<std::int64_t>(element_bytes(type));
  switch (type) {
    case ElementType::f32:
      return read<std::uint32_t, read_f32>(from, stride, out, out_stride, count);
    case ElementType::f16:
      return read<std::uint16_t, read_f16>(from, stride, out, out_stride, count);
    case ElementType::bf16:
      return read<std::uint16_t, read_bf16>(from, stride, out, out_stride, count);
  }
}

}  // namespace

std::size_t element_bytes(ElementType type) {
  return type == ElementType::f32 ? 4 : 2;
}

std::string_view element_name(ElementType type) {
  switch (type) {
    case ElementType::f32:
      return "f32";
    case ElementType::f16:
      return "f16";
    case ElementType::bf16:
      return "bf16";
  }
  return "?";
}

TensorView TensorView::plain(const std::byte* data, ElementType type, std::int64_t rows,
                             std::int64_t columns) {
  TensorView view;
  view.data = data;
  view.type = type;
  view.rows = rows;
  view.columns = columns;
  view.row_stride = columns;
  view.group_stride = columns;
  return view;
}

std::int64_t TensorView::place(std::int64_t row, std::int64_t column) const {
  return (row / group_rows) * group_stride + (row % group_rows) * row_stride +
         column * column_stride;
}

TensorView TensorView::transposed(const std::byte* data, ElementType type, std::int64_t rows,
                                  std::int64_t columns) {
  TensorView view = plain(data, type, rows, columns);
  view.row_stride = view.group_stride = 1;
  view.column_stride = rows;
  return view;
}

TensorView TensorView::slice_rows(std::int64_t first, std::int64_t count) const {
  invariant(group_rows == 1 && first >= 0 && count >= 0 && first + count <= rows, "a slice of rows",
            "rows {} + {} of {}", first, count, rows);
  TensorView view = *this;
  view.data += first * row_stride * static_cast<std::int64_t>(element_bytes(type));
  view.rows = count;
  return view;
}

TensorView TensorView::slice_columns(std::int64_t first, std::int64_t count) const {
  invariant(first >= 0 && count >= 0 && first + count <= columns, "a slice of columns",
            "columns {} + {} of {}", first, count, columns);
  TensorView view = *this;
  view.data += first * column_stride * static_cast<std::int64_t>(element_bytes(type));
  view.columns = count;
  return view;
}

TensorView TensorView::head_part(std::int64_t part, std::int64_t parts,
                                 std::int64_t head_rows) const {
  invariant(part >= 0 && part < parts && head_rows > 0 && rows % (parts * head_rows) == 0,
            "a part of fused heads", "part {} of {}, {} rows a head, {} rows", part, parts,
            head_rows, rows);
  TensorView view = slice_rows(part * head_rows, rows / parts);
  view.group_rows = head_rows;
  view.group_stride = parts * head_rows * row_stride;
  return view;
}

void TensorView::read_row(std::int64_t row, std::span<float> out) const {
  read(type, data, place(row, 0), column_stride, out.data(), 1,
       static_cast<std::int64_t>(out.size()));
}

void TensorView::read_block(const Block& block, float* out, std::int64_t out_stride) const {
  const std::int64_t row_end = block.row + block.rows;
  const std::int64_t stride = group_rows == 1 ? group_stride : row_stride;
  if (column_stride <= stride) {
    for (std::int64_t row = block.row; row < row_end; ++row, out += out_stride) {
      read(type, data, place(row, block.column), column_stride, out, 1, block.columns);
    }
    return;
  }
  for (std::int64_t row = block.row; row < row_end;) {  // the rows of a group are evenly spaced
    const std::int64_t group_end = (row / group_rows + 1) * group_rows;
    const std::int64_t run = (group_rows == 1 ? row_end : std::min(group_end, row_end)) - row;
    for (std::int64_t column = 0; column < block.columns; ++column) {
      read(type, data, place(row, block.column + column), stride, out + column, out_stride, run);
    }
    row += run;
    out += run * out_stride;
  }
}

}  // namespace tokenyard
