#include "traces/readers/details.hpp"

#include <algorithm>

#include "traces/writer.hpp"

namespace tokenyard {

void MemberText::add(std::string_view name, std::string_view value) {
  if (!text_.empty()) text_ += ',';
  text_ += json_text(name);
  text_ += ':';
  text_ += value;
}

void MemberText::add_text(std::string_view name, std::string_view value) {
  add(name, json_text(value));
}

ExtColumns::ExtColumns(const CsvReader& csv, std::span<const std::string> used) : csv_(csv) {
  for (std::size_t i = 0; i < csv.columns().size(); ++i) {
    if (std::ranges::find(used, csv.columns()[i]) == used.end()) columns_.push_back(i);
  }
}

const std::string& ExtColumns::members() {
  text_.clear();
  for (const std::size_t column : columns_) {
    if (!csv_.text(column).empty()) text_.add_text(csv_.columns()[column], csv_.text(column));
  }
  return text_.text();
}

std::string ext_members(const JsonObject& json, std::initializer_list<std::string_view> used) {
  MemberText text;
  for (const std::string& key : json.keys()) {
    if (std::ranges::find(used, key) == used.end()) text.add(key, json.raw(key));
  }
  return text.text();
}

}  // namespace tokenyard
