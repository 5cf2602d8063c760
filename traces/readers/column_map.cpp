#include "traces/readers/column_map.hpp"

#include <fmt/format.h>

#include <limits>

#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

/// A time in nanoseconds; refuses what is none.
std::int64_t time_at(const CsvReader& csv, std::size_t column, const ArrivalColumn& arrival) {
  const std::string_view text = csv.text(column);
  const auto refuse = [&](std::string_view expected) {
    csv.refuse(column, fmt::format("'{}' is not a time {}", printable(text), expected));
  };
  if (!arrival.unit) {
    const auto time = parse_timestamp(text);
    if (!time) refuse("like '2023-11-16 18:15:46.6805900'");
    return *time;
  }
  const auto time = parse_decimal_time(text, *arrival.unit);
  if (!time) {
    static constexpr const char* kUnits[] = {"seconds", "milliseconds", "microseconds",
                                             "nanoseconds"};
    refuse(fmt::format("in {} (at most 100 years)", kUnits[static_cast<int>(*arrival.unit)]));
  }
  if (arrival.from_zero && *time < 0) {
    csv.refuse(column, fmt::format("{} is negative", printable(text)));
  }
  return *time;
}

}  // namespace

std::vector<std::string> ColumnMap::names() const {
  std::vector<std::string> names = ignored;
  for (const std::string* name :
       {&arrival.name, &input_tokens, &output_tokens, &id, &tenant, &max_tokens,
        &predicted_output_tokens, &priority, &session_id, &model, &status}) {
    if (!name->empty()) names.push_back(*name);
  }
  return names;
}

ColumnMap read_column_map(Parameters& parameters) {
  const auto column = [&](const char* name, const char* help) {
    return parameters.text(name, "", "column", help);
  };
  for (const char* required : {"arrival", "unit", "input_tokens", "output_tokens"}) {
    if (!parameters.given(required)) {
      parameters.refuse(required,
                        "is required, as in "
                        "csv:arrival=ts,unit=s|ms|us|ns|timestamp,input_tokens=in,"
                        "output_tokens=out");
    }
  }
  ColumnMap map;
  map.all_there = true;
  map.arrival.name = column("arrival", "when the request came; the earliest is the origin");
  const std::size_t unit =
      parameters.choice("unit", {"s", "ms", "us", "ns", "timestamp"}, "what arrival counts");
  map.input_tokens = column("input_tokens", "tokens of the prompt");
  map.output_tokens = column("output_tokens", "tokens of the output");
  map.id = column("id", "a unique name");
  map.tenant = column("tenant", "whose request it is");
  map.max_tokens = column("max_tokens", "the client's bound on the output");
  map.predicted_output_tokens = column("predicted_output_tokens", "a recorded prediction");
  map.priority = column("priority", "smaller is more urgent");
  map.session_id = column("session_id", "kept");
  map.model = column("model", "kept");
  map.status = column("status", "kept");
  constexpr std::size_t kTimestamp = 4;
  if (unit != kTimestamp) map.arrival.unit = static_cast<TimeUnit>(unit);
  return map;
}

MappedRows::MappedRows(LineReader& lines, const ReadOptions& options, const ColumnMap& map)
    : csv_(lines),
      arrival_(map.arrival),
      all_there_(map.all_there),
      keeps_details_(options.details),
      input_(csv_.require(map.input_tokens)),
      output_(csv_.require(map.output_tokens)),
      arrival_at_(map.arrival.name.empty() ? Column() : csv_.require(map.arrival.name)),
      id_(find(map.id)),
      tenant_(find(map.tenant)),
      max_tokens_(find(map.max_tokens)),
      predicted_(find(map.predicted_output_tokens)),
      priority_(find(map.priority)),
      session_(find(map.session_id)),
      model_(find(map.model)),
      status_(find(map.status)),
      ext_(csv_, map.names()) {
  if (map.refuses_others) csv_.refuse_unknown(map.names());
}

MappedRows::Column MappedRows::find(const std::string& name) const {
  if (name.empty()) return std::nullopt;
  return all_there_ ? csv_.require(name) : csv_.find(name);
}

std::string_view MappedRows::text(const Column& column) const {
  return column ? csv_.text(*column) : std::string_view();
}

std::optional<std::int64_t> MappedRows::integer(const Column& column, std::int64_t least) const {
  if (text(column).empty()) return std::nullopt;
  return csv_.integer(*column, least, kMostTokens);
}

bool MappedRows::next(TraceRow& row) {
  if (!csv_.next()) return false;
  if (arrival_at_) row.arrival_ns = time_at(csv_, *arrival_at_, arrival_);
  row.input_tokens = csv_.integer(input_, 0, kMostTokens);
  row.output_tokens = csv_.integer(output_, 0, kMostTokens);
  if (id_) row.label = csv_.text(*id_);
  row.tenant = text(tenant_);
  row.session = text(session_);
  row.max_tokens = integer(max_tokens_, 1);
  row.predicted_output_tokens = integer(predicted_, 1);
  row.priority = static_cast<std::int32_t>(
      integer(priority_, std::numeric_limits<std::int32_t>::min()).value_or(0));
  if (keeps_details_) keep_details(row);
  return true;
}

void MappedRows::keep_details(TraceRow& row) {
  details_.clear();
  if (!text(session_).empty()) details_.add_text("session_id", text(session_));
  if (!text(model_).empty()) details_.add_text("model", text(model_));
  if (!text(status_).empty()) details_.add_text("status", text(status_));
  if (const std::string& ext = ext_.members(); !ext.empty()) {
    details_.add("ext", "{" + ext + "}");
  }
  row.details = details_.text();
}

}  // namespace tokenyard
