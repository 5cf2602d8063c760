#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tokenyard {

/// Reads one CSV file with a header line, row by row, strictly: what is not RFC 4180, a repeated or
/// missing column, a row with more or fewer cells, and a cell that is not what it should be are
/// `InputError`s naming file, line and column. Memory is that of one row.
class ResultCsv {
 public:
  explicit ResultCsv(const std::filesystem::path& file);

  /// The place of a column that must be there.
  std::size_t column(std::string_view name) const;

  /// Goes on to the next row; false after the last.
  bool next();

  /// A cell of this row; valid until the next row.
  const std::string& text(std::size_t column) const { return cells_[column]; }
  /// A finite decimal number.
  double number(std::size_t column) const;
  /// The same; an empty cell is no number.
  std::optional<double> number_or_empty(std::size_t column) const;
  /// An integer, not negative.
  std::uint64_t count(std::size_t column) const;
  /// "true" or "false".
  bool flag(std::size_t column) const;

  /// Throws an `InputError` about a cell of this row.
  [[noreturn]] void refuse(std::size_t column, std::string_view message) const;

 private:
  bool read_record();
  void parse_record();

  std::string file_;
  std::ifstream in_;
  std::size_t line_ = 0;  ///< where this record begins
  std::size_t lines_read_ = 0;
  std::string record_;
  std::vector<std::string> cells_;
  std::vector<std::string> header_;
};

}  // namespace tokenyard
