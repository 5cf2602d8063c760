#include "experiments/report/result_csv.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

ResultCsv::ResultCsv(const std::filesystem::path& file) : file_(file.string()), in_(file) {
  std::error_code error;
  if (!in_ || std::filesystem::is_directory(file, error)) {
    throw InputError(file_, 0, "", "cannot be read");
  }
  if (!read_record()) throw InputError(file_, 0, "", "is empty; a header line was expected");
  parse_record();
  header_ = cells_;
  for (std::size_t i = 0; i < header_.size(); ++i) {
    const auto begin = header_.begin();
    const auto here = begin + static_cast<std::ptrdiff_t>(i);
    if (std::find(begin, here, header_[i]) != here) {
      throw InputError(file_, line_, printable(header_[i]), "this column is there twice");
    }
  }
}

/// Takes a line, and further ones while a quoted cell is open.
bool ResultCsv::read_record() {
  record_.clear();
  line_ = lines_read_ + 1;
  bool open = false;
  for (std::string line; std::getline(in_, line);) {
    ++lines_read_;
    for (const char c : line) open = open != (c == '"');
    record_ += line;
    if (!open) {
      if (!record_.empty() && record_.back() == '\r') record_.pop_back();
      return true;
    }
    record_ += '\n';
  }
  if (in_.bad()) throw InputError(file_, line_, "", "cannot be read to its end");
  if (open) throw InputError(file_, line_, "", "a quoted cell is never closed");
  return false;
}

void ResultCsv::parse_record() {
  std::size_t cell = 0;
  std::size_t at = 0;
  for (;;) {
    if (cell == cells_.size()) cells_.emplace_back();
    std::string& text = cells_[cell++];
    text.clear();
    if (at < record_.size() && record_[at] == '"') {
      // `read_record` saw to it that every quote is closed.
      for (++at; at < record_.size(); ++at) {
        if (record_[at] == '"' && (at + 1 >= record_.size() || record_[at + 1] != '"')) break;
        if (record_[at] == '"') ++at;
        text += record_[at];
      }
      ++at;
      if (at < record_.size() && record_[at] != ',') {
        throw InputError(file_, line_, "", fmt::format("text after the quotes of cell {}", cell));
      }
    } else {
      const std::size_t end = std::min(record_.find(',', at), record_.size());
      text.assign(record_, at, end - at);
      at = end;
      if (text.find('"') != std::string::npos) {
        throw InputError(file_, line_, "", fmt::format("a quote inside the bare cell {}", cell));
      }
    }
    if (at >= record_.size()) break;
    ++at;
  }
  cells_.resize(cell);
}

bool ResultCsv::next() {
  if (!read_record()) return false;
  parse_record();
  if (cells_.size() != header_.size()) {
    throw InputError(file_, line_, "",
                     fmt::format("has {} cells, the header {}", cells_.size(), header_.size()));
  }
  return true;
}

std::size_t ResultCsv::column(std::string_view name) const {
  const auto found = std::find(header_.begin(), header_.end(), name);
  if (found == header_.end()) throw InputError(file_, 1, name, "this column is missing");
  return static_cast<std::size_t>(found - header_.begin());
}

void ResultCsv::refuse(std::size_t column, std::string_view message) const {
  throw InputError(file_, line_, header_[column],
                   fmt::format("'{}' {}", printable(cells_[column]), message));
}

double ResultCsv::number(std::size_t column) const {
  const auto value = parse_number(cells_[column]);
  if (!value) refuse(column, "is not a number");
  return *value;
}

std::optional<double> ResultCsv::number_or_empty(std::size_t column) const {
  if (cells_[column].empty()) return std::nullopt;
  return number(column);
}

std::uint64_t ResultCsv::count(std::size_t column) const {
  const auto value = parse_integer(cells_[column]);
  if (!value || *value < 0) refuse(column, "is not an integer from 0");
  return static_cast<std::uint64_t>(*value);
}

bool ResultCsv::flag(std::size_t column) const {
  if (cells_[column] != "true" && cells_[column] != "false") {
    refuse(column, "is neither true nor false");
  }
  return cells_[column] == "true";
}

}  // namespace tokenyard
