#pragma once
// Reading traces of any known format. A format is one file under traces/readers/ and one line in
// traces/readers/catalogue.cpp.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "traces/line_reader.hpp"
#include "traces/trace.hpp"
#include "traces/trace_builder.hpp"

namespace tokenyard {

/// A trace format: a row of the table of readers.
struct ReaderEntry {
  const char* name;     ///< as `--format` has it
  const char* summary;  ///< for messages and lists: what its first line looks like
  /// Whether a file that begins with this line is of the format. Formats exclude one another.
  bool (*recognises)(std::string_view first_line);
  /// Reads the whole file, row by row, into `rows`; returns where its times count from.
  TraceOrigin (*read)(LineReader& lines, TraceBuilder& rows);
};

std::span<const ReaderEntry> trace_readers();

struct ReadOptions {
  std::string format;  ///< a reader's name; "" recognises the format by the first line
  ZeroTokens zero = ZeroTokens::drop;
  std::optional<std::int64_t> limit;  ///< keep the first so many requests, >= 1
};

/// Reads a trace file. Bad input is an `InputError` that names the file, the line and the field.
Trace read_trace(const std::string& path, const ReadOptions& options = {});

/// "drop", "clamp" or "error"; anything else is an `InputError`.
ZeroTokens parse_zero_tokens(std::string_view text);

/// A path's file name without .gz and its ending: "conv" for "a/conv.csv.gz".
std::string trace_name(const std::string& path);

}  // namespace tokenyard
