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
extern const ReaderEntry kFlatCsvReader;
extern const ReaderEntry kCanonicalReader;

/// How a format whose rows are read by a `Rows` begins.
template <typename Rows>
std::unique_ptr<RowReader> open_rows(LineReader& lines) {
  return std::make_unique<Rows>(lines);
}

/// Whether a CSV header has all of these columns, in any order.
bool header_has(std::string_view header, std::initializer_list<std::string_view> columns);

/// The optional fields of the canonical form that describe what is not simulated and cannot change
/// a result: accepted by name, and ignored.
std::span<const std::string> ignored_fields();

/// What the refusal of a request that waits for others says.
inline constexpr std::string_view kParentsRefused =
    "requests that wait for others are not replayed by this version";

}  // namespace tokenyard
