#pragma once
// Strict reading of numbers and names from text: no silent truncation, sign change or trailing
// junk.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tokenyard {

/// The whole of `text` as a decimal integer; nothing for anything else (a fraction, a blank, an
/// overflow).
std::optional<std::int64_t> parse_integer(std::string_view text);

/// The whole of `text` as a finite decimal number; nothing for anything else (NaN, infinity, hex).
std::optional<double> parse_number(std::string_view text);

/// The shortest text that reads back as the same double ("0.1", "1e-09", "3").
std::string format_number(double value);

/// Splits at every `separator`; an empty text gives one empty part.
std::vector<std::string_view> split(std::string_view text, char separator);

/// Text made safe to print in one line: control characters are escaped, and a long one is cut.
std::string printable(std::string_view text);

/// A CSV field as RFC 4180 has it: quoted where it holds a comma, a quote or a line break.
std::string csv_field(std::string_view text);

/// " (did you mean 'x'?)" for the candidate nearest to `name`, or "" when none is near.
std::string suggestion(std::string_view name, std::span<const std::string> candidates);

}  // namespace tokenyard
