#pragma once
// The forms in which a trace is written, each defined in a file of its own beside this one.

#include <fmt/format.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "traces/trace.hpp"

namespace tokenyard {

/// Writes the text of one trace, request by request. Refers to the trace, which must outlive it.
class RowWriter {
 public:
  virtual ~RowWriter() = default;

  /// What stands before the requests.
  virtual void begin(fmt::memory_buffer& out) const = 0;
  virtual void row(const TraceRequest& request, fmt::memory_buffer& out) = 0;
};

/// A form: a row of the table of writers.
struct WriterEntry {
  const char* name;     ///< as `--to` has it
  const char* summary;  ///< for lists
  const char* ending;   ///< of a path in this form, before any of compression
  /// Why the form cannot hold this trace, or "".
  std::string (*fault)(const Trace& trace);
  /// What the form does not hold of this trace, so that it can be told; "" where nothing is lost.
  std::string (*lost)(const Trace& trace);
  std::unique_ptr<RowWriter> (*open)(const Trace& trace);
};

extern const WriterEntry kCanonicalWriter;
extern const WriterEntry kFlatCsvWriter;
extern const WriterEntry kMooncakeWriter;
extern const WriterEntry kVidurWriter;

std::span<const WriterEntry> trace_writers();

/// How a form whose rows are written by a `Rows` begins.
template <typename Rows>
std::unique_ptr<RowWriter> open_rows(const Trace& trace) {
  return std::make_unique<Rows>(trace);
}

/// What a form that has nothing but arrivals and lengths loses.
std::string lost_beyond_lengths(const Trace& trace, bool keeps_hashes);

inline std::int64_t nanoseconds(Time time) {
  return (time - kOrigin).count();
}

}  // namespace tokenyard
