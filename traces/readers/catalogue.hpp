#pragma once
// The formats, each defined in a file of its own beside this one.

#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "traces/reader.hpp"

namespace tokenyard {

extern const ReaderEntry kAzureReader;
extern const ReaderEntry kVidurReader;
extern const ReaderEntry kBurstGptReader;
extern const ReaderEntry kMooncakeReader;
extern const ReaderEntry kBailianReader;
extern const ReaderEntry kTraceLabReader;
extern const ReaderEntry kShareGptReader;
extern const ReaderEntry kVllmBenchReader;
extern const ReaderEntry kFlatCsvReader;
extern const ReaderEntry kCanonicalReader;

/// How a format whose rows are read by a `Rows` begins; it takes no parameters.
template <typename Rows>
std::unique_ptr<RowReader> open_rows(LineReader& lines, const ReadOptions& options, Parameters&) {
  return std::make_unique<Rows>(lines, options);
}

/// The format of a file that is no lines and begins so, blanks perhaps before; nullptr: of none.
const ReaderEntry* document_reader(std::string_view beginning);

/// Whether a CSV header has all of these columns, in any order.
bool header_has(std::string_view header, std::initializer_list<std::string_view> columns);

/// The optional fields of the canonical form that describe a request and decide nothing
/// (`Trace::details`), in the order in which they are written.
std::span<const std::string> detail_fields();

}  // namespace tokenyard
