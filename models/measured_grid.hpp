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
/// share their points. Between two x the straight line joins what both curves say of y. A value
/// type; immutable, so safe to share.
///
/// Below the least point it is as in `MeasuredCurve`. Beyond the greatest y of a curve the time
/// goes on from its end at the rate a unit of work that was measured between its ends (those of the
/// nearest curve that has two points); beyond the greatest x at the rate between the first and the
/// last x at the least y, and what y adds to the work at the rate of the last curve. A launch,
/// however long, is so not taken for work.
class MeasuredGrid {
 public:
  struct Row {
    double x = 0;
    MeasuredCurve curve;  ///< over y
  };

  /// Precondition: strictly ascending in x, not empty.
  explicit MeasuredGrid(std::vector<Row> rows);

  /// `work(x, y)` does not fall. `left` becomes true where (x, y) is outside what was measured.
  template <typename Work>
  double value(double x, double y, Work work, bool& left) const {
    const std::size_t last = rows_.size() - 1;
    if (x > rows_[last].x) {
      left = true;
      const double edge = in_row(last, y, work, left);
      const double edge_x = rows_[last].x;
      if (last == 0) return for_more_work(edge, work(edge_x, y), work(x, y));
      // What grows with x alone, and what y adds to that, each at its own rate.
      const double least_y = rows_[last].curve.points().front();
      bool ignored = false;
      const double at_least_y = work(x, least_y) - work(edge_x, least_y);
      const double rate =
          rate_of(in_row(last, least_y, work, ignored) - in_row(0, least_y, work, ignored),
                  work(edge_x, least_y) - work(rows_[0].x, least_y));
      const double by_y = std::max(0.0, work(x, y) - work(edge_x, y) - at_least_y);
      return edge + rate * at_least_y + row_rate(last, work) * by_y;
    }
    const std::size_t above = row_from(x);
    if (above == 0) {
      left = left || x < rows_.front().x;
      return in_row(0, y, work, left);
    }
    bool left_low = false, left_high = false;
    const double part = (x - rows_[above - 1].x) / (rows_[above].x - rows_[above - 1].x);
    const double seconds = (1 - part) * in_row(above - 1, y, work, left_low) +
                           part * in_row(above, y, work, left_high);
    // Rows end at different y, since a chunk and what is before it fill one context together.
    left = left || (left_high && (left_low || part == 1));
    return seconds;
  }

  const std::vector<Row>& rows() const { return rows_; }

 private:
  static double rate_of(double seconds, double work) {
    return work > 0 ? std::max(0.0, seconds / work) : 0;
  }

  template <typename Work>
  double in_row(std::size_t row, double y, Work work, bool& left) const {
    const MeasuredCurve& curve = rows_[row].curve;
    const double last = curve.points().back();
    if (y <= last) {
      return curve.value(
          y, [](double) { return 1.0; }, left);
    }
    left = true;
    const double x = rows_[row].x;
    const double edge = curve.seconds().back();
    if (rows_[rate_rows_[row]].curve.points().size() == 1) {
      return for_more_work(edge, work(x, last), work(x, y));
    }
    return edge + row_rate(row, work) * (work(x, y) - work(x, last));
  }

  /// Seconds a unit of work between the ends of the row, or of the nearest that has two.
  template <typename Work>
  double row_rate(std::size_t row, Work work) const {
    const Row& like = rows_[rate_rows_[row]];
    const MeasuredCurve& curve = like.curve;
    return rate_of(curve.seconds().back() - curve.seconds().front(),
                   work(like.x, curve.points().back()) - work(like.x, curve.points().front()));
  }

  /// The first row at or above x; precondition: there is one.
  std::size_t row_from(double x) const;

  std::vector<Row> rows_;
  std::vector<std::size_t> rate_rows_;  ///< by row: the nearest with two points, or itself
};

}  // namespace tokenyard
