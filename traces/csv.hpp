#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "traces/line_reader.hpp"

namespace tokenyard {

/// A comma-separated file with a header, read row by row, columns by name. Fields may be quoted as
/// in RFC 4180, but a quoted field ends on its line. A row with another number of columns than the
/// header, a stray quote and a column that occurs twice are `InputError`s.
/// Refers to `lines`, which must outlive it. Not safe to share between threads.
class CsvReader {
 public:
  /// Reads the header: the next line of `lines`.
  explicit CsvReader(LineReader& lines);

  const std::vector<std::string>& columns() const { return columns_; }
  std::optional<std::size_t> find(std::string_view column) const;
  /// The position of a column that must be there.
  std::size_t require(std::string_view column) const;
  /// Refuses by name every column that is not among `known`.
  void refuse_unknown(std::span<const std::string> known) const;

  /// Goes to the next row; false at the end of the file.
  bool next();

  /// A field of this row; valid until the next row.
  std::string_view text(std::size_t column) const { return fields_[column]; }
  /// A whole number in [least, most].
  std::int64_t integer(std::size_t column, std::int64_t least, std::int64_t most) const;

  std::size_t line() const { return lines_.number(); }
  [[noreturn]] void refuse(std::size_t column, std::string_view message) const;

 private:
  void split_quoted(std::string_view line);

  LineReader& lines_;
  std::vector<std::string> columns_;
  std::vector<std::string_view> fields_;
  std::deque<std::string> unquoted_;  // fields whose quotes had to be undone; a deque never moves
};

}  // namespace tokenyard
