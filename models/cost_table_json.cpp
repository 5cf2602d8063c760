// How a table of measured costs is written down.

#include <fmt/format.h>

#include <utility>

#include "models/table_cost_model.hpp"
#include "sim/kernel/json_tree.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

constexpr double kMostTokens = 1e12;
constexpr double kMostSeconds = 1e6;  // eleven days: anything above is a slip of the unit

/// {key: [points], "seconds": [values]}, the points at `least` or above.
MeasuredCurve read_curve(const JsonObject& object, const char* key, double least) {
  std::vector<double> at = object.numbers(key, least, kMostTokens);
  std::vector<double> seconds = object.numbers("seconds", 0, kMostSeconds);
  if (at.empty()) object.refuse(key, "expected at least one point");
  for (std::size_t i = 1; i < at.size(); ++i) {
    if (at[i] > at[i - 1]) continue;
    object.refuse(key, fmt::format("points must ascend, found {} after {}", at[i], at[i - 1]));
  }
  if (at.size() != seconds.size()) {
    object.refuse("seconds", fmt::format("expected {} values, one for each of \"{}\", found {}",
                                         at.size(), key, seconds.size()));
  }
  object.refuse_unread();
  return {std::move(at), std::move(seconds)};
}

/// A curve by "tokens" whose values are above 0: its end is the measure of what lies beyond.
MeasuredCurve read_tokens(const JsonObject& file, const char* key) {
  const JsonObject object = file.object(key);
  MeasuredCurve curve = read_curve(object, "tokens", 0);
  for (const double value : curve.seconds()) {
    if (!(value > 0)) object.refuse("seconds", "expected values above 0");
  }
  return curve;
}

MeasuredGrid read_grid(const JsonObject& file, const char* key, const char* x, const char* y,
                       double least_y) {
  std::vector<MeasuredGrid::Row> rows;
  for (const JsonObject& object : file.objects(key)) {
    const double at = object.number(x, 1, kMostTokens);
    if (!rows.empty() && at <= rows.back().x) {
      object.refuse(x, fmt::format("rows must ascend, found {} after {}", at, rows.back().x));
    }
    rows.push_back({at, read_curve(object, y, least_y)});
  }
  if (rows.empty()) file.refuse(key, "expected at least one row");
  return MeasuredGrid(std::move(rows));
}

std::string quoted(const std::string& text) {
  JsonValue value;
  value.kind = JsonValue::Kind::string;
  value.text = text;
  return json_text(value);
}

std::string list(const std::vector<double>& values) {
  std::string text;
  for (const double value : values) text += (text.empty() ? "" : ",") + format_number(value);
  return "[" + text + "]";
}

std::string text_of(const MeasuredCurve& curve, const char* key) {
  return fmt::format("\"{}\":{},\"seconds\":{}", key, list(curve.points()), list(curve.seconds()));
}

std::string text_of(const MeasuredGrid& grid, const char* key, const char* x, const char* y) {
  std::string rows;
  for (const auto& row : grid.rows()) {
    rows += fmt::format("{}\n  {{\"{}\":{},{}}}", rows.empty() ? "" : ",", x, format_number(row.x),
                        text_of(row.curve, y));
  }
  return fmt::format(",\n \"{}\":[{}]", key, rows);
}

}  // namespace

CostTable cost_table_from_json(const JsonObject& file) {
  CostTable table{file.string_or("source", ""),
                  file.number_or("iteration_s", 0, kMostSeconds, 0),
                  read_tokens(file, "tokens"),
                  {},
                  {},
                  {}};
  if (file.has("all_reduce")) table.all_reduce = read_tokens(file, "all_reduce");
  if (file.has("prefill_attention")) {
    table.prefill_attention = read_grid(file, "prefill_attention", "chunk", "earlier", 0);
  }
  if (file.has("decode_attention")) {
    table.decode_attention = read_grid(file, "decode_attention", "sequences", "context", 1);
  }
  return table;
}

std::string to_json_members(const CostTable& table) {
  std::string text;
  if (!table.source.empty()) text += fmt::format("\"source\":{},\n ", quoted(table.source));
  text += fmt::format("\"iteration_s\":{},\n \"tokens\":{{{}}}", format_number(table.iteration_s),
                      text_of(table.tokens, "tokens"));
  if (table.all_reduce) {
    text += fmt::format(",\n \"all_reduce\":{{{}}}", text_of(*table.all_reduce, "tokens"));
  }
  if (table.prefill_attention) {
    text += text_of(*table.prefill_attention, "prefill_attention", "chunk", "earlier");
  }
  if (table.decode_attention) {
    text += text_of(*table.decode_attention, "decode_attention", "sequences", "context");
  }
  return text;
}

}  // namespace tokenyard
