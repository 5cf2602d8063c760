#include "traces/row_sequence.hpp"

#include "sim/kernel/invariant.hpp"

namespace tokenyard {

namespace {

class AsTheyStand final : public RowSequence {
 public:
  explicit AsTheyStand(TraceRows& rows) : rows_(rows) {}

  const TraceRow* next() override { return rows_.next(row_) ? &row_ : nullptr; }

 private:
  TraceRows& rows_;
  TraceRow row_;
};

class ThroughAWindow final : public RowSequence {
 public:
  ThroughAWindow(TraceRows& rows, std::size_t window) : rows_(rows), window_(window) {}

  const TraceRow* next() override {
    TraceRow row;
    while (!window_.full() && rows_.next(row)) window_.push(row);
    return window_.empty() ? nullptr : window_.pop();
  }

 private:
  TraceRows& rows_;
  RowWindow window_;
};

class FromRuns final : public RowSequence {
 public:
  /// One row of the file is read, for what it says before them.
  FromRuns(TraceRows& rows, const SortedRuns& runs) : rows_(runs) {
    TraceRow first;
    rows.next(first);
  }

  const TraceRow* next() override { return rows_.next(); }

 private:
  MergedRows rows_;
};

}  // namespace

std::unique_ptr<RowSequence> row_sequence(TraceRows& rows, RowOrder order, std::size_t window,
                                          const SortedRuns* runs) {
  switch (order) {
    case RowOrder::sorted:
      return std::make_unique<AsTheyStand>(rows);
    case RowOrder::within_window:
      return std::make_unique<ThroughAWindow>(rows, window);
    case RowOrder::scattered:
      break;
  }
  invariant(runs != nullptr, "a scattered file was sorted", "there are no runs");
  return std::make_unique<FromRuns>(rows, *runs);
}

}  // namespace tokenyard
