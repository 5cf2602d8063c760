#include "models/measured_grid.hpp"

#include <optional>
#include <utility>

#include "sim/kernel/invariant.hpp"

namespace tokenyard {

MeasuredCurve::MeasuredCurve(std::vector<double> at, std::vector<double> seconds)
    : at_(std::move(at)), seconds_(std::move(seconds)) {
  const bool ascends =
      std::adjacent_find(at_.begin(), at_.end(), std::greater_equal<>()) == at_.end();
  invariant(!at_.empty() && at_.size() == seconds_.size() && ascends, "a curve has points",
            "{} points, {} values", at_.size(), seconds_.size());
}

double MeasuredCurve::between(double at) const {
  const auto next = std::lower_bound(at_.begin(), at_.end(), at);
  const auto i = static_cast<std::size_t>(next - at_.begin());
  if (i == 0 || *next == at) return seconds_[i];
  const double part = (at - at_[i - 1]) / (at_[i] - at_[i - 1]);
  return seconds_[i - 1] + part * (seconds_[i] - seconds_[i - 1]);
}

MeasuredGrid::MeasuredGrid(std::vector<Row> rows) : rows_(std::move(rows)) {
  const auto not_below = [](const Row& a, const Row& b) { return a.x >= b.x; };
  invariant(
      !rows_.empty() && std::adjacent_find(rows_.begin(), rows_.end(), not_below) == rows_.end(),
      "a grid has rows", "{} rows", rows_.size());
  // The nearest at or below, then a nearer one above.
  const auto has_two = [&](std::size_t row) { return rows_[row].curve.points().size() > 1; };
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if (has_two(i)) found = i;
    rate_rows_.push_back(found.value_or(i));
  }
  found.reset();
  for (std::size_t i = rows_.size(); i-- > 0;) {
    if (has_two(i)) found = i;
    if (!found) continue;
    const bool none_below = !has_two(rate_rows_[i]);
    if (none_below || *found - i < i - rate_rows_[i]) rate_rows_[i] = *found;
  }
}

std::size_t MeasuredGrid::row_from(double x) const {
  const auto row = std::lower_bound(rows_.begin(), rows_.end(), x,
                                    [](const Row& a, double at) { return a.x < at; });
  return static_cast<std::size_t>(row - rows_.begin());
}

}  // namespace tokenyard
