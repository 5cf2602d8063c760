#pragma once
// Putting together what the canonical form keeps of a source (`Trace::details`).

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/kernel/strict_json.hpp"
#include "traces/csv.hpp"
#include "traces/readers/catalogue.hpp"

namespace tokenyard {

/// Members of a JSON object, one after another.
class MemberText {
 public:
  /// `value` is JSON.
  void add(std::string_view name, std::string_view value);
  void add_text(std::string_view name, std::string_view value);
  void clear() { text_.clear(); }
  const std::string& text() const { return text_; }
  bool empty() const { return text_.empty(); }

 private:
  std::string text_;
};

/// The columns of a CSV source that have no place in the canonical form, verbatim, for `ext`.
class ExtColumns {
 public:
  ExtColumns(const CsvReader& csv, std::span<const std::string> used);

  /// Members for this row; empty fields are left out.
  const std::string& members();

 private:
  const CsvReader& csv_;
  std::vector<std::size_t> columns_;
  MemberText text_;
};

/// The members of a JSON source that are not `used`, verbatim, for `ext`. Counts as reading them.
std::string ext_members(const JsonObject& json, std::initializer_list<std::string_view> used);

}  // namespace tokenyard
