// Tokenyard's own form: JSON Lines, one request a line, an optional first line {"meta":{…}}.

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>
#include <vector>

#include "sim/kernel/strict_json.hpp"
#include "sim/kernel/text.hpp"
#include "traces/readers/catalogue.hpp"
#include "traces/readers/fast_canonical.hpp"
#include "traces/readers/plain_row.hpp"
#include "traces/text_hash.hpp"

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

std::optional<std::int32_t> optional_sequences(const JsonObject& json, std::string_view key) {
  const auto value = optional_integer(json, key, 1, kMostSequences);
  return value ? std::optional(static_cast<std::int32_t>(*value)) : std::nullopt;
}

/// An integer of 64 bits, signed or not.
std::optional<std::int64_t> parse_hash(std::string_view text) {
  if (const auto value = parse_integer(text)) return value;
  std::uint64_t bits = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, bits);
  if (error != std::errc() || stop != end) return std::nullopt;
  return static_cast<std::int64_t>(bits);
}

/// A text's place among the integers.
std::int64_t hash_of(std::string_view text) {
  TextHash hash;
  hash.text(text);
  return static_cast<std::int64_t>(hash.value());
}

std::vector<std::int64_t> read_block_hashes(const JsonObject& json) {
  constexpr std::string_view kKey = "block_hashes";
  std::vector<std::int64_t> hashes;
  const std::string raw = json.raw(kKey);
  if (raw == "[]") return hashes;
  if (raw.starts_with("[\"")) {
    for (const auto& text : json.strings(kKey)) hashes.push_back(hash_of(text));
    return hashes;
  }
  if (!raw.starts_with('[')) json.refuse(kKey, "expected an array, found " + printable(raw));
  for (const auto part : split(std::string_view(raw).substr(1, raw.size() - 2), ',')) {
    const auto hash = parse_hash(part);
    if (!hash) {
      json.refuse(kKey, "expected integers of 64 bits, or texts alone; found " + printable(part));
    }
    hashes.push_back(*hash);
  }
  return hashes;
}

/// An id: a text, or an integer as it is written.
std::string label_text(const JsonObject& json, std::string_view key) {
  const std::string raw = json.raw(key);
  if (raw.front() != '"' && !parse_integer(raw)) {
    json.refuse(key, "expected a text or an integer, found " + printable(raw));
  }
  return json.scalar_text(key);
}

/// Ids, all of one kind.
std::vector<std::string> labels(const JsonObject& json, std::string_view key) {
  if (json.raw(key).starts_with("[\"")) return json.strings(key);
  std::vector<std::string> labels;
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  for (const std::int64_t id : json.integers(key, -kMost, kMost)) {
    labels.push_back(std::to_string(id));
  }
  return labels;
}

/// Checks what is promised of the fields that describe a request, and gives them as they stand.
std::string details_text(const JsonObject& json) {
  constexpr double kMost = 1e9;
  if (json.has_value("turn")) json.integer("turn", 0, kMostTokens);
  if (json.has_value("model")) json.string("model");
  if (json.has_value("status")) json.scalar_text("status");
  if (json.has_value("deadline_ns")) json.integer("deadline_ns", 0, kLongest.count());
  if (json.has_value("ext")) json.object("ext");
  if (json.has_value("slo")) {
    const JsonObject slo = json.object("slo");
    for (const char* name : {"ttft_s", "tpot_s", "e2e_s"}) slo.number_or(name, 0, kMost, 0);
    slo.refuse_unread();
  }
  std::string text;
  for (const auto& name : detail_fields()) {
    if (!json.has_value(name)) continue;
    text += (text.empty() ? "\"" : ",\"") + name + "\":" + json.raw(name);
  }
  return text;
}

class CanonicalRows final : public RowReader {
 public:
  CanonicalRows(LineReader& lines, const ReadOptions& options)
      : lines_(lines), keeps_details_(options.details), fast_(!options.details) {}

  bool next(TraceRow& row) override {
    while (const auto line = lines_.next()) {
      const bool first = std::exchange(first_, false);
      if (read_plain_row(*line, row)) return true;
      row = TraceRow();
      if (fast_.read(*line, row)) return true;
      row = TraceRow();
      const JsonObject json = JsonFile::parse(*line, lines_.path(), lines_.number());
      if (!json.has("meta")) {
        read_request(json, row);
        return true;
      }
      if (!first) json.refuse("meta", "belongs on the first line");
      const JsonObject meta = json.object("meta");
      meta_ = {meta.raw(), meta.integer_or("block_tokens", 1, kMostTokens, 0)};
      json.refuse_unread();
    }
    return false;
  }

  TraceMeta meta() const override { return meta_; }

 private:
  void read_request(const JsonObject& json, TraceRow& row);
  void read_lists(const JsonObject& json, TraceRow& row);
  void read_arrival(const JsonObject& json, TraceRow& row);

  LineReader& lines_;
  const bool keeps_details_;
  FastCanonicalRow fast_;
  bool first_ = true;
  TraceMeta meta_;
  // What this line's row refers to.
  std::string label_, tenant_, session_, details_;
  std::vector<std::string> parents_;
  std::vector<std::int64_t> outputs_, block_hashes_, token_ids_;
};

void CanonicalRows::read_request(const JsonObject& json, TraceRow& row) {
  label_ = label_text(json, "id");
  tenant_ = json.string_or("tenant", "");
  row.label = label_;
  row.tenant = tenant_;
  read_arrival(json, row);
  row.input_tokens = json.integer("input_tokens", 0, kMostTokens);
  if (json.has("output_tokens") && json.raw("output_tokens").starts_with('[')) {
    outputs_ = json.integers("output_tokens", 1, kMostTokens);
    if (outputs_.empty()) json.refuse("output_tokens", "the list is empty");
    row.outputs = outputs_;
    row.output_tokens = *std::max_element(outputs_.begin(), outputs_.end());
  } else {
    row.output_tokens = json.integer("output_tokens", 0, kMostTokens);
  }
  row.max_tokens = optional_integer(json, "max_tokens", 1, kMostTokens);
  row.predicted_output_tokens = optional_integer(json, "predicted_output_tokens", 1, kMostTokens);
  row.priority = static_cast<std::int32_t>(
      json.integer_or("priority", std::numeric_limits<std::int32_t>::min(), kMostTokens, 0));
  if (const auto after = optional_integer(json, "cancel_after_ns", 1, kLongest.count())) {
    row.cancel_after = Duration(*after);
  }
  row.n = optional_sequences(json, "n").value_or(1);
  row.best_of = optional_sequences(json, "best_of");
  row.beam_width = optional_sequences(json, "beam_width");
  read_lists(json, row);
  session_ = json.has_value("session_id") ? label_text(json, "session_id") : std::string();
  row.session = session_;
  details_ = details_text(json);
  if (keeps_details_) row.details = details_;
  json.refuse_unread();
}

void CanonicalRows::read_arrival(const JsonObject& json, TraceRow& row) {
  parents_ = json.has("parents") ? labels(json, "parents") : std::vector<std::string>();
  row.parents = parents_;
  row.arrival_given = parents_.empty() || json.has("arrival_ns");
  if (row.arrival_given) row.arrival_ns = json.integer("arrival_ns", 0, kLongest.count());
  if (!json.has("delay_ns")) return;
  if (parents_.empty()) json.refuse("delay_ns", "is for requests with parents");
  row.delay = Duration(json.integer("delay_ns", 0, kLongest.count()));
}

void CanonicalRows::read_lists(const JsonObject& json, TraceRow& row) {
  if (json.has("block_hashes")) {
    block_hashes_ = read_block_hashes(json);
    row.block_hashes = block_hashes_;
  }
  if (json.has("prompt_token_ids")) {
    token_ids_ = json.integers("prompt_token_ids", 0, kMostTokens);
    row.prompt_token_ids = token_ids_;
  }
}

}  // namespace

const ReaderEntry kCanonicalReader = {
    "tokenyard", "JSON Lines: {\"id\":…,\"arrival_ns\":…,\"input_tokens\":…,\"output_tokens\":…}",
    recognises, open_rows<CanonicalRows>};

}  // namespace tokenyard
