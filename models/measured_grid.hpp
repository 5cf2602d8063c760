#pragma once
// Functions that were measured at some points: straight lines between them.

#include <algorithm>
#include <cstddef>
#include <vector>

namespace tokenyard {

/// What took `seconds` for `work`, for more of it. Where the work is estimated at nothing, nothing
/// is known of more: it takes as long.
inline double for_more_work(double seconds, double work, double more) {
  return work > 0 ? seconds * (more / work) : seconds;
}

/// Seconds measured at points of one variable. A value type; immutable, so safe to share.
///
/// Below the least point the time is the least point's: there it is a launch, or the reading of
/// weights, whatever the size. Beyond the greatest the caller's estimate of the work goes on from
/// the measured time: seconds(last) x work(at)/work(last), which is continuous.
class MeasuredCurve {
 public:
  /// Precondition: `at` strictly ascending, as long as `seconds`, not empty.
  MeasuredCurve(std::vector<double> at, std::vector<double> seconds);

  /// `left` becomes true where `at` is outside what was measured.
  template <typename Work>
  double value(double at, Work work, bool& left) const {
    if (at > at_.back()) {
      left = true;
      return for_more_work(seconds_.back(), work(at_.back()), work(at));
    }
    left = left || at < at_.front();
    return between(at);
  }

  const std::vector<double>& points() const { return at_; }
  const std::vector<double>& seconds() const { return seconds_; }

 private:
  double between(double at) const;

  std::vector<double> at_;
  std::vector<double> seconds_;
};

/// Seconds measured at points of two variables: curves over y, each at an x. The curves need not
/// share their points. Between two x the straight line joins what both curves say of y; outside, x
/// and y go on as in `MeasuredCurve`. A value type; immutable, so safe to share.
class MeasuredGrid {
 public:
  struct Row {
    double x = 0;
    MeasuredCurve curve;  ///< over y
  };

  /// Precondition: strictly ascending in x, not empty.
  explicit MeasuredGrid(std::vector<Row> rows);

  /// `left` becomes true where (x, y) is outside what was measured.
  template <typename Work>
  double value(double x, double y, Work work, bool& left) const {
    const auto in_row = [&](const Row& row, bool& outside) {
      return row.curve.value(
          y, [&](double at) { return work(row.x, at); }, outside);
    };
    const Row& last = rows_.back();
    if (x > last.x) {
      left = true;
      return for_more_work(in_row(last, left), work(last.x, y), work(x, y));
    }
    const std::size_t above = row_from(x);
    if (above == 0) {
      left = left || x < rows_.front().x;
      return in_row(rows_.front(), left);
    }
    const Row& low = rows_[above - 1];
    const Row& high = rows_[above];
    bool left_low = false, left_high = false;
    const double part = (x - low.x) / (high.x - low.x);
    const double seconds = (1 - part) * in_row(low, left_low) + part * in_row(high, left_high);
    // Rows end at different y, since a chunk and what is before it fill one context together.
    left = left || (left_high && (left_low || part == 1));
    return seconds;
  }

  const std::vector<Row>& rows() const { return rows_; }

 private:
  /// The first row at or above x; precondition: there is one.
  std::size_t row_from(double x) const;

  std::vector<Row> rows_;
};

}  // namespace tokenyard
