// Two traces that share the names of their keys and not their units. Mooncake's
// (github.com/kvcache-ai/Mooncake, FAST 2025): milliseconds, blocks of 512 tokens. Qwen's
// (github.com/alibaba-edu/qwen-bailian-usagetraces-anon, ATC 2025): seconds, blocks of 16 tokens,
// and chat_id, by which it is told apart.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "sim/kernel/strict_json.hpp"
#include "sim/kernel/text.hpp"
#include "traces/readers/catalogue.hpp"
#include "traces/readers/details.hpp"
#include "traces/readers/fast_json.hpp"

namespace tokenyard {

namespace {

bool has_key(std::string_view line, std::string_view key) {
  return line.find(fmt::format("\"{}\"", key)) != std::string_view::npos;
}

bool has_lengths(std::string_view line) {
  return line.starts_with('{') && has_key(line, "timestamp") && has_key(line, "input_length") &&
         has_key(line, "output_length");
}

bool recognises_mooncake(std::string_view first_line) {
  return has_lengths(first_line) && !has_key(first_line, "chat_id");
}

bool recognises_bailian(std::string_view first_line) {
  return has_lengths(first_line) && has_key(first_line, "chat_id");
}

/// A time as nanoseconds, `unit` to one of the file's.
std::int64_t nanoseconds(double time, double unit) {
  return std::llround(time * unit);
}

double most_time(double unit) {
  return static_cast<double>(kLongest.count()) / unit;
}

/// What the two have in common: everything but units.
class HashedRows : public RowReader {
 public:
  /// `unit` nanoseconds are one of the file's time.
  HashedRows(LineReader& lines, const ReadOptions& options, std::int64_t block_tokens, double unit)
      : lines_(lines), keeps_details_(options.details), block_tokens_(block_tokens), unit_(unit) {}

  bool next(TraceRow& row) override {
    const auto line = lines_.next();
    if (!line) return false;
    if (!keeps_details_ && read_fast(*line, row)) return true;
    row = TraceRow();
    const JsonObject json = JsonFile::parse(*line, lines_.path(), lines_.number());
    // Not before the trace's origin.
    row.arrival_ns = nanoseconds(json.number("timestamp", 0, most_time(unit_)), unit_);
    row.input_tokens = json.integer("input_length", 0, kMostTokens);
    row.output_tokens = json.integer("output_length", 0, kMostTokens);
    if (json.has("hash_ids")) {
      constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
      hashes_ = json.integers("hash_ids", -kMost, kMost);
      row.block_hashes = hashes_;
    }
    details_.clear();
    if (keeps_details_) keep_details(json, details_);
    row.details = details_.text();
    return true;
  }

  TraceMeta meta() const override {
    return {fmt::format(R"({{"block_tokens":{}}})", block_tokens_), block_tokens_};
  }

 private:
  bool read_fast(std::string_view line, TraceRow& row);
  virtual void keep_details(const JsonObject& json, MemberText& details) const = 0;

  LineReader& lines_;
  const bool keeps_details_;
  const std::int64_t block_tokens_;
  const double unit_;
  FastJson fast_;
  std::vector<std::int64_t> hashes_;
  MemberText details_;
};

/// Reads a line without keeping its details; false leaves it to the strict parser.
bool HashedRows::read_fast(std::string_view line, TraceRow& row) {
  if (!fast_.parse(line)) return false;
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  std::array<std::string_view, 16> keys;
  std::size_t count = 0;
  std::uint32_t required = 0;  // those that were there, a bit each
  for (const auto& [key, value] : fast_.object()) {
    const auto end = keys.begin() + static_cast<std::ptrdiff_t>(count);
    if (count == keys.size() || std::find(keys.begin(), end, key) != end) return false;
    keys[count++] = key;
    double time = 0;
    if (key == "timestamp") {
      if (value.get(time) != simdjson::SUCCESS || time < 0 || time > most_time(unit_)) return false;
      row.arrival_ns = nanoseconds(time, unit_);
      required |= 1U;
    } else if (key == "input_length" || key == "output_length") {
      const auto length = fast_integer(value, 0, kMostTokens);
      if (!length) return false;
      (key == "input_length" ? row.input_tokens : row.output_tokens) = *length;
      required |= key == "input_length" ? 2U : 4U;
    } else if (key == "hash_ids") {
      if (!fast_integers(value, -kMost, kMost, hashes_)) return false;
      row.block_hashes = hashes_;
    } else if (!has_plain_objects(value)) {
      return false;
    }
  }
  return required == 7U;
}

class MooncakeRows final : public HashedRows {
 public:
  MooncakeRows(LineReader& lines, const ReadOptions& options)
      : HashedRows(lines, options, 512, 1e6) {}

 private:
  void keep_details(const JsonObject& json, MemberText& details) const override {
    const std::string ext =
        ext_members(json, {"timestamp", "input_length", "output_length", "hash_ids"});
    if (!ext.empty()) details.add("ext", "{" + ext + "}");
  }
};

class BailianRows final : public HashedRows {
 public:
  BailianRows(LineReader& lines, const ReadOptions& options)
      : HashedRows(lines, options, 16, 1e9) {}

 private:
  void keep_details(const JsonObject& json, MemberText& details) const override {
    if (json.has("turn")) {
      details.add("turn", std::to_string(json.integer("turn", 0, kMostTokens)));
    }
    const std::string ext =
        ext_members(json, {"timestamp", "input_length", "output_length", "hash_ids", "turn"});
    if (!ext.empty()) details.add("ext", "{" + ext + "}");
  }
};

}  // namespace

const ReaderEntry kMooncakeReader = {
    "mooncake",
    "JSON Lines: {\"timestamp\":ms,\"input_length\":…,\"output_length\":…,\"hash_ids\":…}",
    recognises_mooncake, open_rows<MooncakeRows>};

const ReaderEntry kBailianReader = {
    "bailian", "JSON Lines: {\"chat_id\":…,\"timestamp\":s,\"input_length\":…,\"hash_ids\":…}",
    recognises_bailian, open_rows<BailianRows>};

}  // namespace tokenyard
