#include <algorithm>
#include <limits>
#include <utility>

#include "traces/row_order.hpp"
#include "traces/trace_stream.hpp"
#include "traces/transform.hpp"

namespace tokenyard {

namespace {

/// Gathers what a survey tells from requests that come in their order.
class Gathering {
 public:
  explicit Gathering(const ReadOptions& options)
      : most_(options.limit ? checked_limit(*options.limit)
                            : std::numeric_limits<std::size_t>::max()) {}

  /// After each row that was added to `builder`: takes requests from it now and then.
  void added_to(TraceBuilder& builder) {
    constexpr std::size_t kAtOnce = 4096;
    if (survey_.requests + builder.waiting() <= most_) tenants_ = builder.tenants().size();
    if (builder.waiting() >= kAtOnce) add(builder.take_block().requests);
  }

  void add(const RequestTable& block) {
    const std::size_t kept = std::min(block.size(), most_ - survey_.requests);
    if (kept > 0 && survey_.requests == 0) survey_.first_arrival = block.arrival(0);
    if (kept > 0) survey_.last_arrival = block.arrival(kept - 1);
    for (std::size_t i = 0; i < kept; ++i) {
      survey_.output_tokens += block.output_tokens(i);
      survey_.longest_context =
          std::max(survey_.longest_context, block.input_tokens(i) + block.output_tokens(i));
      const TraceOptions* const options = block.options(i);
      if (options == nullptr) continue;
      survey_.sessions = std::max<std::int64_t>(survey_.sessions, options->session);
    }
    survey_.requests += kept;
  }

  /// After the last row; `checked` has seen all of them in the order of the file.
  TraceSurvey finish(TraceBuilder& ordered, TraceBuilder& checked, std::int64_t origin_ns) {
    checked.check_whole(origin_ns);
    add(ordered.take_block().requests);
    survey_.earliest_ns = origin_ns;
    survey_.first_arrival -= Duration(origin_ns);
    survey_.last_arrival -= Duration(origin_ns);
    survey_.counts = checked.counts();
    const std::size_t beyond = static_cast<std::size_t>(survey_.counts.kept) - survey_.requests;
    if (beyond > 0) survey_.counts.dropped.push_back(beyond_limit(beyond));
    survey_.counts.kept = static_cast<std::int64_t>(survey_.requests);
    survey_.tenants.assign(ordered.tenants().begin(),
                           ordered.tenants().begin() + static_cast<std::ptrdiff_t>(tenants_));
    return std::move(survey_);
  }

  TraceSurvey survey() { return std::move(survey_); }

 private:
  std::size_t most_;
  std::size_t tenants_ = 0;  // of the requests within the limit
  TraceSurvey survey_;
};

/// Checks the rows of a file in its order, and keeps none.
class CheckedRows {
 public:
  CheckedRows(const std::string& path, const ReadOptions& options) : rows_(path, options) {}

  bool next(TraceRow& row) {
    if (!rows_.next(row)) return false;
    TraceBuilder& builder = rows_.builder();
    builder.add(row);
    constexpr std::size_t kAtOnce = 4096;
    if (builder.waiting() >= kAtOnce) builder.take_block();
    return true;
  }

  TraceBuilder& builder() { return rows_.builder(); }
  std::int64_t origin_ns() const { return rows_.origin_ns(); }
  /// Another builder for the same rows, which need not be checked again.
  TraceBuilder trusting_builder(ZeroTokens zero) const { return rows_.trusting_builder(zero); }

 private:
  TraceRows rows_;
};

enum class Outcome : std::uint8_t { surveyed, in_another_order, waits };

/// Rows that stand in their order.
Outcome survey_sorted(const std::string& path, const ReadOptions& options, TraceSurvey& survey) {
  TraceRows rows(path, options);
  TraceBuilder& builder = rows.builder();
  Gathering gathering(options);
  while (rows.add_next()) {
    if (builder.waits()) return Outcome::waits;
    if (builder.counts().unsorted > 0) return Outcome::in_another_order;
    gathering.added_to(builder);
  }
  survey = gathering.finish(builder, builder, rows.origin_ns());
  return Outcome::surveyed;
}

/// Rows that a window puts in order.
Outcome survey_window(const std::string& path, const ReadOptions& options, TraceSurvey& survey) {
  CheckedRows rows(path, options);
  Gathering gathering(options);
  RowWindow window(options.window);
  std::optional<TraceBuilder> ordered;
  const auto take = [&] {
    const TraceRow* const first = window.pop();
    if (first == nullptr) return false;
    ordered->add(*first);
    gathering.added_to(*ordered);
    return true;
  };
  for (TraceRow row; rows.next(row); row = TraceRow()) {
    if (rows.builder().waits()) return Outcome::waits;
    if (!ordered) ordered.emplace(rows.trusting_builder(options.zero));
    window.push(row);
    if (window.full() && !take()) return Outcome::in_another_order;
  }
  while (!window.empty()) {
    if (!take()) return Outcome::in_another_order;
  }
  survey = gathering.finish(*ordered, rows.builder(), rows.origin_ns());
  survey.order = RowOrder::within_window;
  return Outcome::surveyed;
}

/// Any rows.
Outcome survey_scattered(const std::string& path, const ReadOptions& options, TraceSurvey& survey) {
  CheckedRows rows(path, options);
  Gathering gathering(options);
  const auto runs = std::make_shared<SortedRuns>(options.sort_bytes);
  for (TraceRow row; rows.next(row); row = TraceRow()) {
    if (rows.builder().waits()) return Outcome::waits;
    runs->add(row);
  }
  runs->finish();
  TraceBuilder ordered = rows.trusting_builder(options.zero);
  MergedRows merged(*runs);
  while (const TraceRow* const row = merged.next()) {
    ordered.add(*row);
    gathering.added_to(ordered);
  }
  survey = gathering.finish(ordered, rows.builder(), rows.origin_ns());
  survey.order = RowOrder::scattered;
  survey.runs = runs;
  return Outcome::surveyed;
}

}  // namespace

TraceSurvey survey_of(const Trace& trace) {
  Gathering gathering((ReadOptions()));
  gathering.add(trace.requests);
  TraceSurvey survey = gathering.survey();
  survey.tenants = trace.tenants;
  survey.counts = trace.counts;
  return survey;
}

std::optional<TraceSurvey> survey_trace(const std::string& path, const ReadOptions& options) {
  TraceSurvey survey;
  for (const auto attempt : {survey_sorted, survey_window, survey_scattered}) {
    const Outcome outcome = attempt(path, options, survey);
    if (outcome == Outcome::surveyed) return survey;
    if (outcome == Outcome::waits) break;
  }
  return std::nullopt;
}

}  // namespace tokenyard
