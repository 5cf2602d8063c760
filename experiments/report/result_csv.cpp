#include "experiments/report/result_csv.hpp"

#include <fmt/format.h>

#include "sim/kernel/text.hpp"

namespace tokenyard {

void ResultCsv::refuse(std::size_t column, std::string_view message) const {
  csv_.refuse(column, fmt::format("'{}' {}", printable(text(column)), message));
}

double ResultCsv::number(std::size_t column) const {
  const auto value = parse_number(text(column));
  if (!value) refuse(column, "is not a number");
  return *value;
}

std::optional<double> ResultCsv::number_or_empty(std::size_t column) const {
  if (text(column).empty()) return std::nullopt;
  return number(column);
}

std::uint64_t ResultCsv::count(std::size_t column) const {
  const auto value = parse_integer(text(column));
  if (!value || *value < 0) refuse(column, "is not an integer from 0");
  return static_cast<std::uint64_t>(*value);
}

bool ResultCsv::flag(std::size_t column) const {
  if (text(column) != "true" && text(column) != "false") {
    refuse(column, "is neither true nor false");
  }
  return text(column) == "true";
}

}  // namespace tokenyard
