#include "traces/reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"
#include "traces/transform.hpp"

namespace tokenyard {

namespace {

const ReaderEntry& reader_named(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& reader : trace_readers()) {
    if (name == reader.name) return reader;
    names.emplace_back(reader.name);
  }
  throw InputError(fmt::format("unknown trace format '{}'{}; known: {}", printable(name),
                               suggestion(name, names), fmt::join(names, ", ")));
}

const ReaderEntry& reader_for(LineReader& lines, std::string_view first_line) {
  for (const auto& reader : trace_readers()) {
    if (reader.recognises(first_line)) return reader;
  }
  std::string known;
  for (const auto& reader : trace_readers()) {
    known += fmt::format("{}{} ({})", known.empty() ? "" : ", ", reader.name, reader.summary);
  }
  lines.refuse("", fmt::format("the first line '{}' is of no known trace format; known: {}",
                               printable(first_line), known));
}

}  // namespace

Trace read_trace(const std::string& path, const ReadOptions& options) {
  const ReaderEntry* reader = options.format.empty() ? nullptr : &reader_named(options.format);
  LineReader lines(path);
  const auto first_line = lines.peek();
  if (!first_line) throw InputError(path, 0, "", "the file is empty");
  if (reader == nullptr) reader = &reader_for(lines, *first_line);
  TraceBuilder rows(lines, options.zero);
  const TraceOrigin origin = reader->read(lines, rows);
  Trace trace = rows.finish(origin);
  trace.name = trace_name(path);
  if (options.limit) limit(trace, *options.limit);
  return trace;
}

ZeroTokens parse_zero_tokens(std::string_view text) {
  if (text == "drop") return ZeroTokens::drop;
  if (text == "clamp") return ZeroTokens::clamp;
  if (text == "error") return ZeroTokens::error;
  throw InputError(fmt::format("--zero: '{}' is not one of drop, clamp, error", printable(text)));
}

std::string trace_name(const std::string& path) {
  std::filesystem::path name = std::filesystem::path(path).filename();
  if (name.extension() == ".gz") name = name.stem();
  return name.stem().string();
}

}  // namespace tokenyard
