// TraceLab's sessions of coding agents (github.com/uw-syfi/TraceLab): a round of a session a line.
// A round is sent when the one before it has ended and its tools, or the user, have answered.

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "sim/kernel/strict_json.hpp"
#include "sim/kernel/text.hpp"
#include "traces/readers/catalogue.hpp"
#include "traces/readers/details.hpp"
#include "traces/time_text.hpp"

namespace tokenyard {

namespace {

bool recognises(std::string_view first_line) {
  const auto has = [&](std::string_view key) {
    return first_line.find(key) != std::string_view::npos;
  };
  return first_line.starts_with('{') && has("\"round_index\"") && has("\"input_tokens_total\"");
}

class TraceLabRows final : public RowReader {
 public:
  TraceLabRows(LineReader& lines, const ReadOptions& options)
      : lines_(lines), keeps_details_(options.details) {}

  TraceOrigin origin() const override { return TraceOrigin::earliest_row; }

  bool next(TraceRow& row) override {
    const auto line = lines_.next();
    if (!line) return false;
    const JsonObject json = JsonFile::parse(*line, lines_.path(), lines_.number());
    session_ = json.string("session_id");
    row.session = session_;
    const std::int64_t round = json.integer("round_index", 0, kMostTokens);
    label_ = fmt::format("{}/{}", session_, round);
    row.label = label_;
    row.input_tokens = json.integer("input_tokens_total", 0, kMostTokens);
    row.output_tokens = json.integer("output_tokens", 0, kMostTokens);
    const auto [sent, answered] = times(json);
    row.arrival_ns = sent;
    const auto [before, first] = last_.try_emplace(session_);
    if (!first) {
      parents_ = {before->second.label};
      row.parents = parents_;
      row.delay = Duration(std::max<std::int64_t>(0, sent - before->second.answered_ns));
    }
    if (row.input_tokens > 0 && row.output_tokens > 0) before->second = {label_, answered};
    if (first && (row.input_tokens == 0 || row.output_tokens == 0)) last_.erase(before);
    details_.clear();
    if (keeps_details_) keep_details(json, round);
    row.details = details_.text();
    return true;
  }

 private:
  struct Round {
    std::string label;
    std::int64_t answered_ns = 0;
  };
  struct Times {
    std::int64_t sent_ns = 0;
    std::int64_t answered_ns = 0;
  };

  /// Sent with its last input, answered with its last event.
  Times times(const JsonObject& json) const {
    std::optional<Times> found;
    for (const JsonObject& event : json.objects("timing_events")) {
      const std::string kind = event.string("event_type");
      const auto at = parse_timestamp(event.string("timestamp"));
      if (!at) event.refuse("timestamp", "is not a time like '2026-06-01T05:40:20.151Z'");
      if (!found) found = {*at, *at};
      if (kind == "user_message" || kind == "tool_result") {
        found->sent_ns = std::max(found->sent_ns, *at);
      }
      found->answered_ns = std::max(found->answered_ns, *at);
    }
    if (!found) json.refuse("timing_events", "is empty: nothing says when the round was sent");
    return *found;
  }

  void keep_details(const JsonObject& json, std::int64_t round) {
    details_.add_text("session_id", session_);
    details_.add("turn", std::to_string(round));
    if (json.has_value("model")) details_.add_text("model", json.string("model"));
    const std::string ext = ext_members(
        json, {"session_id", "round_index", "model", "input_tokens_total", "output_tokens"});
    if (!ext.empty()) details_.add("ext", "{" + ext + "}");
  }

  LineReader& lines_;
  const bool keeps_details_;
  std::map<std::string, Round> last_;  ///< by session
  std::string label_, session_;
  std::vector<std::string> parents_;
  MemberText details_;
};

}  // namespace

const ReaderEntry kTraceLabReader = {
    "tracelab",
    "JSON Lines: {\"session_id\":…,\"round_index\":…,\"input_tokens_total\":…,\"timing_events\":…}",
    recognises, open_rows<TraceLabRows>};

}  // namespace tokenyard
