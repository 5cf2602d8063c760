#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace tokenyard {

/// How an element of a checkpoint is stored, little-endian.
enum class ElementType : std::uint8_t { f32, f16, bf16 };

std::size_t element_bytes(ElementType type);
std::string_view element_name(ElementType type);

/// A matrix in a mapped checkpoint, whatever its layout there: logical row r, column c is the
/// element at (r / group_rows) * group_stride + (r % group_rows) * row_stride + c * column_stride.
/// A vector is a matrix of one row. Does not own the memory; a value type.
///
/// This covers all layouts in use: plain rows; GPT-2's transposed matrices (row_stride 1); one of
/// the three matrices that a checkpoint fused, in whole thirds (an offset in `data`) or head by
/// head (BLOOM: groups of head_dim rows, 3 x head_dim rows apart).
struct TensorView {
  const std::byte* data = nullptr;
  ElementType type = ElementType::f32;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t row_stride = 0;  ///< in elements, as are all strides
  std::int64_t column_stride = 1;
  std::int64_t group_rows = 1;  ///< at least 1; with 1, `group_stride` is the stride of rows
  std::int64_t group_stride = 0;

  /// Rows [row, row + rows) by columns [column, column + columns).
  struct Block {
    std::int64_t row = 0, rows = 0, column = 0, columns = 0;
  };

  bool empty() const { return data == nullptr; }

  /// Rows one after another, as most checkpoints have them.
  static TensorView plain(const std::byte* data, ElementType type, std::int64_t rows,
                          std::int64_t columns);

  /// A stored matrix read the other way round: `rows` and `columns` are those of the result, and
  /// the file holds `columns` rows of `rows` elements (GPT-2).
  static TensorView transposed(const std::byte* data, ElementType type, std::int64_t rows,
                               std::int64_t columns);

  /// `count` rows from row `first` on, of a matrix without groups.
  TensorView slice_rows(std::int64_t first, std::int64_t count) const;

  /// `count` columns from column `first` on; of a vector, a part.
  TensorView slice_columns(std::int64_t first, std::int64_t count) const;

  /// Part `part` of `parts` matrices without groups that are fused head by head: `head_rows` rows
  /// of the first, `head_rows` of the second and so on, then the next head's.
  TensorView head_part(std::int64_t part, std::int64_t parts, std::int64_t head_rows) const;

  /// Row `row` as f32, exactly (every bf16 and f16 is an f32). `out` has `columns` elements.
  void read_row(std::int64_t row, std::span<float> out) const;

  /// A block of it as f32: row r goes to `out` + r x `out_stride`. Reads the memory in its own
  /// order, by rows or by columns, so a block of a transposed matrix is as fast as another.
  void read_block(const Block& block, float* out, std::int64_t out_stride) const;

 private:
  /// Where an element is, in elements from `data`.
  std::int64_t place(std::int64_t row, std::int64_t column) const;
};

}  // namespace tokenyard
