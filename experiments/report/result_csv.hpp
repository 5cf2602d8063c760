#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

#include "traces/csv.hpp"
#include "traces/line_reader.hpp"

namespace tokenyard {

/// Reads one CSV file of a result folder: the strict reader of traces, with the kinds of cells that
/// results have. What is not as it should be is an `InputError` naming file, line and column.
class ResultCsv {
 public:
  explicit ResultCsv(const std::filesystem::path& file) : lines_(file.string()), csv_(lines_) {}

  /// The place of a column that must be there.
  std::size_t column(std::string_view name) const { return csv_.require(name); }

  bool has_column(std::string_view name) const { return csv_.find(name).has_value(); }

  /// Goes on to the next row; false after the last.
  bool next() { return csv_.next(); }

  /// A cell of this row; valid until the next row.
  std::string_view text(std::size_t column) const { return csv_.text(column); }
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
  LineReader lines_;
  CsvReader csv_;
};

}  // namespace tokenyard
