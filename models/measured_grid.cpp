#include "models/measured_grid.hpp"

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
}

std::size_t MeasuredGrid::row_from(double x) const {
  const auto row = std::lower_bound(rows_.begin(), rows_.end(), x,
                                    [](const Row& a, double at) { return a.x < at; });
  return static_cast<std::size_t>(row - rows_.begin());
}

}  // namespace tokenyard
