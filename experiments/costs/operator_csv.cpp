#include "experiments/costs/operator_csv.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>

#include "sim/kernel/input_error.hpp"
#include "sim/kernel/invariant.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

constexpr std::int64_t kMostCount = 999'999'999'999;  // with one more, what cost files may hold
/// A hundred seconds: anything above is a slip of the unit. The sum over all layers then stays
/// within what the reader of cost model files takes.
constexpr double kMillisecondsMost = 1e5;

MeasuredCurve curve_of(const std::map<double, std::vector<double>>& points) {
  std::vector<double> at, seconds;
  for (const auto& [y, values] : points) {
    at.push_back(y);
    seconds.push_back(median(values));
  }
  return {std::move(at), std::move(seconds)};
}

}  // namespace

std::size_t OperatorCsv::median_of(const std::string& operation) {
  return csv_.require("time_stats." + operation + ".median");
}

std::int64_t OperatorCsv::integer(std::size_t column) const {
  return csv_.integer(column, 0, kMostCount);
}

bool OperatorCsv::flag(std::size_t column) const {
  const std::string_view text = csv_.text(column);
  if (text != "True" && text != "False") {
    csv_.refuse(column, fmt::format("expected True or False, found '{}'", printable(text)));
  }
  return text == "True";
}

double OperatorCsv::milliseconds(std::size_t column) const {
  const std::string_view text = csv_.text(column);
  const auto value = parse_number(text);
  if (!value || *value < 0 || *value > kMillisecondsMost) {
    csv_.refuse(column, fmt::format("expected a time in milliseconds from 0 to {}, found '{}'",
                                    kMillisecondsMost, printable(text)));
  }
  return *value;
}

void OperatorCsv::expect(std::size_t column, std::int64_t expected, std::string_view what) const {
  const std::int64_t found = integer(column);
  if (found == expected) return;
  csv_.refuse(column, fmt::format("expected {}, {}, found {}", expected, what, found));
}

bool RowFilter::takes() {
  const std::int64_t value = csv_.integer(column_);
  if (value != wanted_) others_.insert(value);
  found_ = found_ || value == wanted_;
  return value == wanted_;
}

void RowFilter::refuse_if_none() const {
  if (found_) return;
  throw InputError(csv_.path(), 0, name_,
                   others_.empty() ? "the file has no row"
                                   : fmt::format("no row has {}; there are {}", wanted_,
                                                 fmt::join(others_, ", ")));
}

std::size_t MeasuredPoints::repeated() const {
  std::size_t count = 0;
  for (const auto& [x, row] : by_x_) {
    count += static_cast<std::size_t>(std::count_if(
        row.begin(), row.end(), [](const auto& point) { return point.second.size() > 1; }));
  }
  return count;
}

MeasuredGrid MeasuredPoints::grid() const {
  std::vector<MeasuredGrid::Row> rows;
  for (const auto& [x, row] : by_x_) rows.push_back({x, curve_of(row)});
  return MeasuredGrid(std::move(rows));
}

MeasuredCurve MeasuredPoints::curve() const {
  invariant(by_x_.size() == 1, "a curve has one variable", "{} values of x", by_x_.size());
  return curve_of(by_x_.begin()->second);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace tokenyard
