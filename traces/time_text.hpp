#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tokenyard {

/// Seconds written as a decimal number ("4.314579", "1e-05") in whole nanoseconds: read from the
/// digits, never through a double, and rounded half away from zero beyond nine decimals. Nothing
/// for other text, and for more than `kLongest` either way.
std::optional<std::int64_t> parse_decimal_seconds(std::string_view text);

/// "2023-11-16 18:15:46.6805900" (up to nine digits of fraction, or none; no zone; years 1970 to
/// 2199) as nanoseconds since 1970. Nothing for other text.
std::optional<std::int64_t> parse_timestamp(std::string_view text);

}  // namespace tokenyard
