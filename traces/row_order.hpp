#pragma once
// Putting the rows of a file in the order of their arrivals, stably, without keeping all of them.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "traces/packed_row.hpp"
#include "traces/temporary_file.hpp"
#include "traces/trace_builder.hpp"

namespace tokenyard {

/// A row's place in the order: by time, then by its place in the file.
struct RowPlace {
  std::int64_t arrival_ns = 0;
  std::uint64_t row = 0;   ///< its place in the file, or among what stands for it
  std::uint64_t slot = 0;  ///< where it is kept

  friend bool operator>(const RowPlace& a, const RowPlace& b) {
    return a.arrival_ns != b.arrival_ns ? a.arrival_ns > b.arrival_ns : a.row > b.row;
  }
};

/// Keeps the last `window` rows, so that a row may stand up to so many rows behind those that it
/// precedes in time; fewer where they take more than 256 MiB. Not safe to share between threads.
class RowWindow {
 public:
  explicit RowWindow(std::size_t window) : window_(window) {}

  /// A row waits in the window. Precondition: `full` is false.
  void push(const TraceRow& row);
  /// Whether the earliest row must be taken before there is room for another.
  bool full() const { return heap_.size() > window_ || (bytes_ > kMostBytes && heap_.size() > 1); }
  bool empty() const { return heap_.empty(); }

  /// The earliest row, valid until the next call; nothing where a later one was taken before: the
  /// window is too small. Precondition: not empty.
  const TraceRow* pop();

 private:
  static constexpr std::size_t kMostBytes = std::size_t{256} << 20;

  std::size_t window_;
  std::size_t bytes_ = 0;           ///< of the rows in the window
  std::vector<RowPlace> heap_;      ///< the earliest on top
  std::vector<std::string> slots_;  ///< packed rows
  std::vector<std::uint64_t> free_;
  std::uint64_t rows_ = 0;
  std::optional<std::uint64_t> last_slot_;  ///< of the row taken last
  std::optional<std::int64_t> last_arrival_ns_;
  UnpackedRow unpacked_;
};

/// All rows of a file in a temporary one: as sorted runs, which `MergedRows` merges. Once finished
/// immutable, and safe to share between threads.
class SortedRuns {
 public:
  /// `run_bytes` is how much is kept in memory before it is written.
  explicit SortedRuns(std::size_t run_bytes) : run_bytes_(run_bytes) {}

  /// The next row of the file.
  void add(const TraceRow& row);
  /// After the last row.
  void finish();

  /// How many bytes were written.
  std::uint64_t bytes() const { return file_.size(); }

 private:
  friend class MergedRows;

  struct Run {
    std::uint64_t begin = 0;  ///< in the file
    std::uint64_t end = 0;
  };

  void write_run();

  std::size_t run_bytes_;
  std::string rows_;              ///< packed, in the order of the file
  std::vector<RowPlace> places_;  ///< a slot is an offset in `rows_`
  TemporaryFile file_;
  std::vector<Run> runs_;
};

/// Reads the rows in their order. Refers to the runs. One object, one thread.
class MergedRows {
 public:
  explicit MergedRows(const SortedRuns& runs);

  /// The next row, valid until the next call; nothing at the end.
  const TraceRow* next();

 private:
  /// A run as far as it was read.
  struct Cursor {
    std::uint64_t next = 0;  ///< where the file is read on
    std::uint64_t end = 0;
    std::string buffer;
    std::size_t at = 0;       ///< of the row in front
    std::size_t row_end = 0;  ///< behind it; 0: there is none
  };

  void advance(std::size_t run);
  bool fill(Cursor& cursor, std::size_t wanted) const;

  const SortedRuns& runs_;
  std::vector<Cursor> cursors_;       ///< by run
  std::vector<RowPlace> heap_;        ///< the first row of each run, the earliest on top
  std::optional<std::size_t> taken_;  ///< the run of the row given last
  UnpackedRow unpacked_;
};

}  // namespace tokenyard
