// Tokenyard's own form: JSON Lines, one request a line, an optional first line {"meta":{…}}.

#include <limits>

#include "sim/kernel/strict_json.hpp"
#include "sim/kernel/text.hpp"
#include "traces/readers/catalogue.hpp"

namespace tokenyard {

namespace {

bool recognises(std::string_view first_line) {
  if (!first_line.starts_with('{')) return false;
  for (const std::string_view key : {"\"meta\"", "\"arrival_ns\"", "\"input_tokens\""}) {
    if (first_line.find(key) != std::string_view::npos) return true;
  }
  return false;
}

std::optional<std::int64_t> optional_integer(const JsonObject& json, std::string_view key,
                                             std::int64_t least, std::int64_t most) {
  if (!json.has(key)) return std::nullopt;
  return json.integer(key, least, most);
}

void read_request(const JsonObject& json, TraceBuilder& rows) {
  for (const auto& name : width_fields()) {
    if (json.integer_or(name, 1, kMostTokens, 1) > 1) json.refuse(name, kWidthRefused);
  }
  for (const std::string_view name : {"parents", "delay_ns"}) {
    if (json.has(name) && json.raw(name) != "[]") json.refuse(name, kParentsRefused);
  }
  TraceRow row;
  const std::string label = json.scalar_text("id");
  if (const std::string raw = json.raw("id"); raw.front() != '"' && !parse_integer(raw)) {
    json.refuse("id", "expected a text or an integer, found " + printable(raw));
  }
  const std::string tenant = json.string_or("tenant", "");
  row.label = label;
  row.tenant = tenant;
  row.arrival_ns = json.integer("arrival_ns", 0, kLongest.count());
  row.input_tokens = json.integer("input_tokens", 0, kMostTokens);
  row.output_tokens = json.integer("output_tokens", 0, kMostTokens);
  row.max_tokens = optional_integer(json, "max_tokens", 1, kMostTokens);
  row.predicted_output_tokens = optional_integer(json, "predicted_output_tokens", 1, kMostTokens);
  row.priority = static_cast<std::int32_t>(
      json.integer_or("priority", std::numeric_limits<std::int32_t>::min(), kMostTokens, 0));
  if (const auto after = optional_integer(json, "cancel_after_ns", 1, kLongest.count())) {
    row.cancel_after = Duration(*after);
  }
  for (const auto& name : ignored_fields()) {
    if (json.has(name)) json.raw(name);
  }
  json.refuse_unread();
  rows.add(row);
}

TraceOrigin read(LineReader& lines, TraceBuilder& rows) {
  bool first = true;
  while (const auto line = lines.next()) {
    const JsonObject json = JsonFile::parse(*line, lines.path(), lines.number());
    if (json.has("meta")) {
      if (!first) json.refuse("meta", "belongs on the first line");
      rows.set_meta(json.object("meta").raw());
      json.refuse_unread();
    } else {
      read_request(json, rows);
    }
    first = false;
  }
  return TraceOrigin::zero;
}

}  // namespace

const ReaderEntry kCanonicalReader = {
    "tokenyard", "JSON Lines: {\"id\":…,\"arrival_ns\":…,\"input_tokens\":…,\"output_tokens\":…}",
    recognises, read};

}  // namespace tokenyard
