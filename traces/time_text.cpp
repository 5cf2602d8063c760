#include "traces/time_text.hpp"

#include <charconv>
#include <chrono>

#include "sim/kernel/time.hpp"

namespace tokenyard {

namespace {

constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Takes the exponent off the end of a decimal number; nothing if it is malformed.
std::optional<int> take_exponent(std::string_view& text) {
  const auto at = text.find_first_of("eE");
  if (at == std::string_view::npos) return 0;
  std::string_view digits = text.substr(at + 1);
  text = text.substr(0, at);
  if (digits.starts_with('+')) {
    digits.remove_prefix(1);
    if (digits.empty() || !is_digit(digits[0])) return std::nullopt;
  }
  int exponent = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, exponent);
  if (error != std::errc() || stop != end || exponent < -400 || exponent > 400) {
    return std::nullopt;
  }
  return exponent;
}

/// How many decimals of the unit make nanoseconds.
int nanosecond_places(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::seconds:
      return 9;
    case TimeUnit::milliseconds:
      return 6;
    case TimeUnit::microseconds:
      return 3;
    case TimeUnit::nanoseconds:
      return 0;
  }
  return 0;
}

/// A fixed number of digits at `at`, or -1.
int digits_at(std::string_view text, std::size_t at, std::size_t count) {
  int value = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (i >= text.size() || !is_digit(text[i])) return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

/// Takes "Z" or "+01:00" off the end: how many seconds this zone is ahead of UTC. 0 where there is
/// none, nothing if it is malformed.
std::optional<std::int64_t> take_zone(std::string_view& text) {
  if (text.ends_with('Z')) {
    text.remove_suffix(1);
    return 0;
  }
  constexpr std::size_t kZone = 6;
  if (text.size() <= kZone) return 0;
  const std::string_view zone = text.substr(text.size() - kZone);
  if ((zone[0] != '+' && zone[0] != '-') || zone[3] != ':') return 0;
  const int hours = digits_at(zone, 1, 2);
  const int minutes = digits_at(zone, 4, 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return std::nullopt;
  text.remove_suffix(kZone);
  return (hours * 60 + minutes) * (zone[0] == '+' ? 60 : -60);
}

}  // namespace

std::optional<std::int64_t> parse_decimal_time(std::string_view text, TimeUnit unit) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const auto exponent = take_exponent(text);
  if (!exponent) return std::nullopt;

  // Shifting the point to the right (nine places, of seconds) leaves whole nanoseconds; places
  // beyond the digits are zeros.
  const auto point = text.find('.');
  const auto whole = static_cast<int>(point == std::string_view::npos ? text.size() : point);
  // How many digits make the whole nanoseconds.
  const int places = whole + *exponent + nanosecond_places(unit);
  std::int64_t value = 0;
  int seen = 0;
  bool round_up = false;
  bool past_point = false;
  for (const char c : text) {
    if (c == '.' && !past_point) {
      past_point = true;
      continue;
    }
    if (!is_digit(c)) return std::nullopt;
    if (seen < places) {
      if (value > kLongest.count() / 10) return std::nullopt;
      value = value * 10 + (c - '0');
    } else if (seen == places) {
      round_up = c >= '5';
    }
    ++seen;
  }
  if (seen == 0) return std::nullopt;
  for (; seen < places && value != 0; ++seen) {
    if (value > kLongest.count() / 10) return std::nullopt;
    value *= 10;
  }
  value += round_up ? 1 : 0;
  if (value > kLongest.count()) return std::nullopt;
  return negative ? -value : value;
}

std::optional<std::int64_t> parse_timestamp(std::string_view text) {
  const auto ahead = take_zone(text);
  if (!ahead) return std::nullopt;
  // 0123456789012345678 9
  // YYYY-MM-DD hh:mm:ss[.fraction]
  constexpr std::size_t kSecondsEnd = 19;
  if (text.size() < kSecondsEnd || text[4] != '-' || text[7] != '-' ||
      (text[10] != ' ' && text[10] != 'T') || text[13] != ':' || text[16] != ':') {
    return std::nullopt;
  }
  const int year = digits_at(text, 0, 4);
  const int month = digits_at(text, 5, 2);
  const int day = digits_at(text, 8, 2);
  const int hour = digits_at(text, 11, 2);
  const int minute = digits_at(text, 14, 2);
  const int second = digits_at(text, 17, 2);
  if (year < 1970 || year > 2199 || month < 1 || day < 1 || hour < 0 || hour > 23 || minute < 0 ||
      minute > 59 || second < 0 || second > 59) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date(std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day)));
  if (!date.ok()) return std::nullopt;

  std::int64_t fraction = 0;
  if (text.size() > kSecondsEnd) {
    const std::size_t digits = text.size() - kSecondsEnd - 1;
    if (text[kSecondsEnd] != '.' || digits < 1 || digits > 9) return std::nullopt;
    fraction = digits_at(text, kSecondsEnd + 1, digits);
    if (fraction < 0) return std::nullopt;
    for (std::size_t i = digits; i < 9; ++i) fraction *= 10;
  }
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const std::int64_t seconds = ((days * 24 + hour) * 60 + minute) * 60 + second;
  return (seconds - *ahead) * kNanosecondsPerSecond + fraction;
}

}  // namespace tokenyard
