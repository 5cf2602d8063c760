#include "traces/csv.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

void split_plain(std::string_view line, std::vector<std::string_view>& fields) {
  fields.clear();
  for (;;) {
    const auto comma = line.find(',');
    fields.push_back(line.substr(0, comma));
    if (comma == std::string_view::npos) return;
    line.remove_prefix(comma + 1);
  }
}

bool only_digits(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

CsvReader::CsvReader(LineReader& lines) : lines_(lines) {
  const auto header = lines_.next();
  if (!header) lines_.refuse("", "the file is empty");
  if (header->find('"') == std::string_view::npos) {
    split_plain(*header, fields_);
  } else {
    split_quoted(*header);
  }
  columns_.assign(fields_.begin(), fields_.end());
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (std::find(columns_.begin(), columns_.begin() + static_cast<std::ptrdiff_t>(i),
                  columns_[i]) != columns_.begin() + static_cast<std::ptrdiff_t>(i)) {
      lines_.refuse(printable(columns_[i]), "the column occurs twice");
    }
  }
}

std::optional<std::size_t> CsvReader::find(std::string_view column) const {
  const auto at = std::find(columns_.begin(), columns_.end(), column);
  if (at == columns_.end()) return std::nullopt;
  return static_cast<std::size_t>(at - columns_.begin());
}

std::size_t CsvReader::require(std::string_view column) const {
  const auto at = find(column);
  if (!at) lines_.refuse(column, "the column is missing from the header");
  return *at;
}

void CsvReader::refuse_unknown(std::span<const std::string> known) const {
  for (const auto& column : columns_) {
    if (std::find(known.begin(), known.end(), column) == known.end()) {
      lines_.refuse(printable(column), "unknown column" + suggestion(column, known));
    }
  }
}

bool CsvReader::next() {
  const auto line = lines_.next();
  if (!line) return false;
  if (line->find('"') == std::string_view::npos) {
    split_plain(*line, fields_);
  } else {
    split_quoted(*line);
  }
  if (fields_.size() != columns_.size()) {
    lines_.refuse("", fmt::format("the row has {} columns, the header has {}", fields_.size(),
                                  columns_.size()));
  }
  return true;
}

void CsvReader::split_quoted(std::string_view line) {
  fields_.clear();
  unquoted_.clear();
  for (;;) {
    if (!line.starts_with('"')) {
      const auto comma = line.find(',');
      const auto field = line.substr(0, comma);
      if (field.find('"') != std::string_view::npos) {
        lines_.refuse("", "a quote in the middle of an unquoted field");
      }
      fields_.push_back(field);
      if (comma == std::string_view::npos) return;
      line.remove_prefix(comma + 1);
      continue;
    }
    std::string& field = unquoted_.emplace_back();
    line.remove_prefix(1);
    for (;;) {
      const auto quote = line.find('"');
      if (quote == std::string_view::npos) {
        lines_.refuse("", "a quoted field does not end on its line");
      }
      field += line.substr(0, quote);
      line.remove_prefix(quote + 1);
      if (!line.starts_with('"')) break;
      field += '"';
      line.remove_prefix(1);
    }
    fields_.push_back(field);
    if (line.empty()) return;
    if (!line.starts_with(',')) lines_.refuse("", "text after the end of a quoted field");
    line.remove_prefix(1);
  }
}

std::int64_t CsvReader::integer(std::size_t column, std::int64_t least, std::int64_t most) const {
  const std::string_view field = fields_[column];
  const auto value = parse_integer(field);
  if (value && *value >= least && *value <= most) return *value;
  if (field.empty()) refuse(column, "is empty, a whole number is needed");
  if (!value && !only_digits(field)) {
    refuse(column, fmt::format("'{}' is not a whole number", printable(field)));
  }
  if (least >= 0 && field.starts_with('-')) {
    refuse(column, fmt::format("{} is negative", printable(field)));
  }
  refuse(column, fmt::format("{} is not in {} … {}", printable(field), least, most));
}

void CsvReader::refuse(std::size_t column, std::string_view message) const {
  lines_.refuse(printable(columns_[column]), message);
}

}  // namespace tokenyard
