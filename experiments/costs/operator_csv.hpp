#pragma once
// One file of operator measurements, row by row.

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/measured_grid.hpp"
#include "traces/csv.hpp"
#include "traces/line_reader.hpp"

namespace tokenyard {

/// Columns by name, times in milliseconds. Throws `InputError`s that name file, line and column.
class OperatorCsv {
 public:
  explicit OperatorCsv(const std::string& path) : lines_(path), csv_(lines_) {}
  OperatorCsv(const OperatorCsv&) = delete;
  OperatorCsv& operator=(const OperatorCsv&) = delete;

  bool next() { return csv_.next(); }
  const std::string& path() const { return lines_.path(); }

  std::size_t column(std::string_view name) { return csv_.require(name); }
  /// The column of an operator's median time.
  std::size_t median_of(const std::string& operation);

  std::int64_t integer(std::size_t column) const;
  bool flag(std::size_t column) const;  ///< True or False, as Python writes them
  double milliseconds(std::size_t column) const;
  /// Refuses a row whose integer here is not `expected`, "the heads of llama-2-7b".
  void expect(std::size_t column, std::int64_t expected, std::string_view what) const;
  [[noreturn]] void refuse(std::size_t column, std::string_view message) const {
    csv_.refuse(column, message);
  }

 private:
  LineReader lines_;
  CsvReader csv_;
};

/// Keeps the rows of one value of a column (a degree of parallelism) and refuses a file without
/// any.
class RowFilter {
 public:
  RowFilter(OperatorCsv& csv, const char* column, std::int64_t wanted)
      : csv_(csv), name_(column), column_(csv.column(column)), wanted_(wanted) {}

  /// Whether the current row is one of them.
  bool takes();
  /// Throws where no row was: with the values that there are.
  void refuse_if_none() const;

 private:
  OperatorCsv& csv_;
  const char* name_;
  std::size_t column_;
  std::int64_t wanted_;
  bool found_ = false;
  std::set<std::int64_t> others_;
};

/// Measurements by point, several of one point allowed.
class MeasuredPoints {
 public:
  void add(double x, double y, double seconds) { by_x_[x][y].push_back(seconds); }

  bool empty() const { return by_x_.empty(); }
  /// Points measured more than once.
  std::size_t repeated() const;
  /// With the median of each point. Precondition: not empty.
  MeasuredGrid grid() const;
  /// Of points whose x is 0: a curve over y.
  MeasuredCurve curve() const;

 private:
  std::map<double, std::map<double, std::vector<double>>> by_x_;
};

/// The middle of the values, or between the two in the middle. Precondition: there are some.
double median(std::vector<double> values);

}  // namespace tokenyard
