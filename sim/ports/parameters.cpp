#include "sim/ports/parameters.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

/// A range as declarations print it ("at least 1") and as messages do ("… of at least 1").
struct Range {
  std::string text, phrase;

  Range(bool from, const std::string& least, bool to, const std::string& most) {
    if (from && to) {
      text = fmt::format("{} to {}", least, most);
      phrase = " from " + text;
    } else if (from || to) {
      text = from ? "at least " + least : "at most " + most;
      phrase = " of " + text;
    }
  }
};

}  // namespace

Parameters::Parameters(std::string owner, std::vector<std::pair<std::string, std::string>> values)
    : owner_(std::move(owner)), values_(std::move(values)) {
  for (auto value = values_.begin(); value != values_.end(); ++value) {
    const auto same = [value](const auto& other) { return other.first == value->first; };
    if (std::any_of(values_.begin(), value, same)) {
      throw InputError(
          fmt::format("{}: parameter '{}' is given twice", owner_, printable(value->first)));
    }
  }
}

Parameters Parameters::parse(std::string owner, std::string_view text) {
  std::vector<std::pair<std::string, std::string>> values;
  if (text.empty()) return {std::move(owner), std::move(values)};
  for (const std::string_view part : split(text, ',')) {
    const auto equals = part.find('=');
    if (equals == std::string_view::npos || equals == 0 || equals + 1 == part.size()) {
      throw InputError(fmt::format("{}: expected key=value, found '{}'", owner, printable(part)));
    }
    values.emplace_back(part.substr(0, equals), part.substr(equals + 1));
  }
  return {std::move(owner), std::move(values)};
}

const std::string* Parameters::find(std::string_view name) const {
  for (const auto& [key, value] : values_) {
    if (key == name) return &value;
  }
  return nullptr;
}

double Parameters::number(std::string_view name, double fallback, double least, double most,
                          std::string_view help) {
  const Range range(least > -kNoUpperBound, format_number(least), most < kNoUpperBound,
                    format_number(most));
  declared_.push_back(
      {std::string(name), "number", format_number(fallback), range.text, std::string(help)});
  const std::string* text = find(name);
  if (text == nullptr) return fallback;
  const auto value = parse_number(*text);
  if (!value || *value < least || *value > most) {
    refuse(name, fmt::format("expected a number{}, found '{}'", range.phrase, printable(*text)));
  }
  return *value;
}

std::int64_t Parameters::integer(std::string_view name, std::int64_t fallback, std::int64_t least,
                                 std::int64_t most, std::string_view help) {
  using Limits = std::numeric_limits<std::int64_t>;
  const Range range(least != Limits::min(), fmt::format("{}", least), most != Limits::max(),
                    fmt::format("{}", most));
  declared_.push_back(
      {std::string(name), "integer", fmt::format("{}", fallback), range.text, std::string(help)});
  const std::string* text = find(name);
  if (text == nullptr) return fallback;
  const auto value = parse_integer(*text);
  if (!value || *value < least || *value > most) {
    refuse(name, fmt::format("expected an integer{}, found '{}'", range.phrase, printable(*text)));
  }
  return *value;
}

std::size_t Parameters::choice(std::string_view name,
                               std::initializer_list<std::string_view> options,
                               std::string_view help) {
  const std::vector<std::string> known(options.begin(), options.end());
  declared_.push_back({std::string(name), "choice", known.front(),
                       fmt::format("{}", fmt::join(known, "|")), std::string(help)});
  const std::string* text = find(name);
  if (text == nullptr) return 0;
  const auto found = std::find(known.begin(), known.end(), *text);
  if (found == known.end()) {
    refuse(name, fmt::format("expected one of {}, found '{}'{}", fmt::join(known, ", "),
                             printable(*text), suggestion(*text, known)));
  }
  return static_cast<std::size_t>(found - known.begin());
}

std::vector<double> Parameters::numbers(std::string_view name, std::string_view fallback,
                                        double least, double most, std::string_view help) {
  const Range range(least > -kNoUpperBound, format_number(least), most < kNoUpperBound,
                    format_number(most));
  declared_.push_back(
      {std::string(name), "numbers", std::string(fallback), range.text, std::string(help)});
  const std::string* given = find(name);
  std::vector<double> values;
  for (const std::string_view part : split(given == nullptr ? fallback : *given, '/')) {
    const auto value = parse_number(part);
    if (!value || *value < least || *value > most) {
      refuse(name, fmt::format("expected numbers{} as in 2/30, found '{}'", range.phrase,
                               printable(part)));
    }
    values.push_back(*value);
  }
  return values;
}

std::string Parameters::text(std::string_view name, std::string_view fallback,
                             std::string_view what, std::string_view help) {
  declared_.push_back({std::string(name), std::string(what), std::string(fallback),
                       std::string(what), std::string(help)});
  const std::string* given = find(name);
  return given == nullptr ? std::string(fallback) : *given;
}

bool Parameters::given(std::string_view name) const {
  return find(name) != nullptr;
}

void Parameters::refuse_unread() const {
  std::vector<std::string> known;
  for (const auto& parameter : declared_) known.push_back(parameter.name);
  for (const auto& [key, value] : values_) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const std::string hint = suggestion(key, known);
    const std::string list =
        known.empty() ? "; it has none" : fmt::format("; it has {}", fmt::join(known, ", "));
    throw InputError(fmt::format("{}: unknown parameter '{}'{}", owner_, printable(key),
                                 hint.empty() ? list : hint));
  }
}

void Parameters::refuse(std::string_view name, std::string_view message) const {
  throw InputError(fmt::format("{}: {}: {}", owner_, name, message));
}

}  // namespace tokenyard
