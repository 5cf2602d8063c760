#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tokenyard {

/// What a number that is a time counts.
enum class TimeUnit : std::uint8_t { seconds, milliseconds, microseconds, nanoseconds };

/// A time written as a decimal number ("4.314579", "1e-05") in whole nanoseconds: read from the
/// digits, never through a double, and rounded half away from zero below a nanosecond. Nothing for
/// other text, and for more than `kLongest` either way.
std::optional<std::int64_t> parse_decimal_time(std::string_view text, TimeUnit unit);

/// "2023-11-16 18:15:46.6805900" (up to nine digits of fraction, or none; T for the space; years
/// 1970 to 2199), with a zone ("Z", "+00:00") or without one, which is taken for UTC, as
/// nanoseconds since 1970. Nothing for other text.
std::optional<std::int64_t> parse_timestamp(std::string_view text);

}  // namespace tokenyard
