#include "engine/weights/tensor_view.hpp"

#include <bit>
#include <cstring>

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

/// Element by element, so that data need not be aligned in its file.
template <typename Bits, typename Widen>
void read(const std::byte* from, std::int64_t stride, std::span<float> out, Widen widen) {
  for (float& value : out) {
    Bits bits;
    std::memcpy(&bits, from, sizeof bits);
    value = widen(bits);
    from += stride * static_cast<std::int64_t>(sizeof bits);
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

void TensorView::read_row(std::int64_t row, std::span<float> out) const {
  const std::int64_t element = (row / group_rows) * group_stride + (row % group_rows) * row_stride;
  const std::byte* from = data + element * static_cast<std::int64_t>(element_bytes(type));
  switch (type) {
    case ElementType::f32:
      return read<std::uint32_t>(from, column_stride, out,
                                 [](std::uint32_t bits) { return std::bit_cast<float>(bits); });
    case ElementType::f16:
      return read<std::uint16_t>(from, column_stride, out, read_f16);
    case ElementType::bf16:
      return read<std::uint16_t>(from, column_stride, out, [](std::uint16_t bits) {
        return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16U);
      });
  }
}

}  // namespace tokenyard
