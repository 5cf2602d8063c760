#pragma once

#include <cstddef>
#include <memory>

#include "traces/reader.hpp"
#include "traces/row_order.hpp"
#include "traces/trace_stream.hpp"

namespace tokenyard {

/// The rows of a file, one after another, in some order. One object, one thread.
class RowSequence {
 public:
  virtual ~RowSequence() = default;

  /// The next row, valid until the next call; nothing at the end, or where the file is not in the
  /// order that was said.
  virtual const TraceRow* next() = 0;
};

/// The rows in the order of their arrivals. `runs` are those of a scattered file. Refers to both;
/// the builder of `rows` knows afterwards what the file says before its rows.
std::unique_ptr<RowSequence> row_sequence(TraceRows& rows, RowOrder order, std::size_t window,
                                          const SortedRuns* runs);

}  // namespace tokenyard
