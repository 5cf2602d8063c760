// Two traces that share the names of their keys and not their units. Mooncake's
// (github.com/kvcache-ai/Mooncake, FAST 2025): milliseconds, blocks of 512 tokens. Qwen's
// (github.com/alibaba-edu/qwen-bailian-usagetraces-anon, ATC 2025): seconds, blocks of 16 tokens,
// and chat_id, by which it is told apart.

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "sim/kernel/strict_json.hpp"
#include "sim/kernel/text.hpp"
#include "traces/readers/catalogue.hpp"
#include "traces/readers/details.hpp"

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

/// What the two have in common: everything but units.
class HashedRows : public RowReader {
 public:
  HashedRows(LineReader& lines, const ReadOptions& options, std::int64_t block_tokens)
      : lines_(lines), keeps_details_(options.details), block_tokens_(block_tokens) {}

  bool next(TraceRow& row) override {
    const auto line = lines_.next();
    if (!line) return false;
    const JsonObject json = JsonFile::parse(*line, lines_.path(), lines_.number());
    row.arrival_ns = arrival_ns(json);
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

 protected:
  /// `unit` nanoseconds a unit. Not before the trace's origin.
  static std::int64_t time(const JsonObject& json, double unit) {
    const double most = static_cast<double>(kLongest.count()) / unit;
    return std::llround(json.number("timestamp", 0, most) * unit);
  }

 private:
  virtual std::int64_t arrival_ns(const JsonObject& json) const = 0;
  virtual void keep_details(const JsonObject& json, MemberText& details) const = 0;

  LineReader& lines_;
  const bool keeps_details_;
  const std::int64_t block_tokens_;
  std::vector<std::int64_t> hashes_;
  MemberText details_;
};

class MooncakeRows final : public HashedRows {
 public:
  MooncakeRows(LineReader& lines, const ReadOptions& options) : HashedRows(lines, options, 512) {}

 private:
  std::int64_t arrival_ns(const JsonObject& json) const override { return time(json, 1e6); }

  void keep_details(const JsonObject& json, MemberText& details) const override {
    const std::string ext =
        ext_members(json, {"timestamp", "input_length", "output_length", "hash_ids"});
    if (!ext.empty()) details.add("ext", "{" + ext + "}");
  }
};

class BailianRows final : public HashedRows {
 public:
  BailianRows(LineReader& lines, const ReadOptions& options) : HashedRows(lines, options, 16) {}

 private:
  std::int64_t arrival_ns(const JsonObject& json) const override { return time(json, 1e9); }

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
