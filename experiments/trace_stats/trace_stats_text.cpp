#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "experiments/trace_stats/trace_stats.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

/// One number of the table: its name, and how it is written for people.
struct Row {
  std::string name;
  nlohmann::ordered_json value;
  std::string text;
};

class Rows {
 public:
  void count(const std::string& name, std::int64_t value) {
    rows_.push_back({name, value, fmt::format("{}", value)});
  }
  void number(const std::string& name, std::optional<double> value, int digits) {
    if (!value) {
      rows_.push_back({name, nullptr, "-"});
    } else {
      rows_.push_back({name, *value, fmt::format("{:.{}f}", *value, digits)});
    }
  }
  void tokens(const std::string& name, const TokenStats& stats) {
    number(name + "_mean", stats.mean, 1);
    count(name + "_p50", stats.p50);
    count(name + "_p90", stats.p90);
    count(name + "_p99", stats.p99);
    count(name + "_max", stats.max);
    count(name + "_total", stats.total);
  }
  const std::vector<Row>& all() const { return rows_; }

 private:
  std::vector<Row> rows_;
};

Rows rows_of(const TraceStats& stats) {
  Rows rows;
  rows.count("requests", stats.requests);
  rows.count("tenants", stats.tenants);
  rows.number("span_s", stats.span_s, 1);
  rows.number("request_rate", stats.request_rate, 3);
  rows.number("gap_cv", stats.gap_cv, 3);
  rows.number("peak_minute_over_mean", stats.peak_minute_over_mean, 2);
  rows.tokens("input_tokens", stats.input_tokens);
  rows.tokens("output_tokens", stats.output_tokens);
  rows.number("length_correlation", stats.length_correlation, 3);
  if (const auto& prefixes = stats.prefixes) {
    rows.count("prefix_block_tokens", prefixes->block_tokens);
    rows.count("prefix_reuse_requests", prefixes->requests);
    rows.count("prefix_reuse_tokens", prefixes->tokens);
    rows.number(
        "prefix_reuse_share",
        static_cast<double>(prefixes->tokens) / static_cast<double>(stats.input_tokens.total), 4);
  }
  if (const auto& programs = stats.programs) {
    rows.count("programs", programs->programs);
    rows.count("program_requests_max", programs->requests_most);
    rows.number("critical_path_requests_mean", programs->critical_path_requests_mean, 1);
    rows.number("critical_path_output_tokens_mean", programs->critical_path_output_tokens_mean, 1);
    rows.number("critical_path_delay_s_mean", programs->critical_path_delay_s_mean, 1);
  }
  return rows;
}

}  // namespace

std::string trace_stats_text(const TraceStats& stats) {
  std::string text = stats.name + ": " + counts_text(stats.counts) + "\n\n";
  const Rows rows = rows_of(stats);
  for (const Row& row : rows.all()) {
    text += fmt::format("{:<34}{:>16}\n", row.name, row.text);
  }
  return text;
}

std::string trace_stats_json(const TraceStats& stats) {
  nlohmann::ordered_json json;
  json["trace"] = stats.name;
  json["read"] = stats.counts.read;
  json["kept"] = stats.counts.kept;
  json["dropped"] = nlohmann::ordered_json::object();
  for (const DroppedRows& dropped : stats.counts.dropped) {
    json["dropped"][dropped.reason] = dropped.rows;
  }
  json["clamped"] = stats.counts.clamped;
  json["unsorted"] = stats.counts.unsorted;
  const Rows rows = rows_of(stats);
  for (const Row& row : rows.all()) json[row.name] = row.value;
  return json.dump(2) + "\n";
}

}  // namespace tokenyard
