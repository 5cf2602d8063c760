#pragma once
// What a workload is like: how many requests, how they come, how long they are, what they share.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "experiments/statistics/value_counts.hpp"
#include "traces/trace_stream.hpp"

namespace tokenyard {

/// Of token counts. Percentiles are nearest rank.
struct TokenStats {
  double mean = 0;
  std::int64_t p50 = 0, p90 = 0, p99 = 0, max = 0;
  std::int64_t total = 0;
};

/// What an infinite prefix cache would find, counted in the trace's own blocks: a prompt's whole
/// blocks, as far as they have all been seen in an earlier request's prompt of the same tenant, but
/// never its last token (which must be computed to go on).
struct PrefixStats {
  std::int64_t block_tokens = 0;
  std::int64_t requests = 0;  ///< that find something
  std::int64_t tokens = 0;    ///< found
};

/// Of requests that wait for others.
struct ProgramStats {
  std::int64_t programs = 0;
  std::int64_t requests_most = 0;  ///< in one program
  /// The chain with the most output tokens (`critical_paths`): its mean over the programs.
  double critical_path_requests_mean = 0;
  double critical_path_output_tokens_mean = 0;
  double critical_path_delay_s_mean = 0;
};

/// All of it. A value type.
struct TraceStats {
  std::string name;
  TraceCounts counts;
  std::int64_t requests = 0;
  std::int64_t tenants = 0;
  double span_s = 0;                            ///< from the first arrival to the last
  std::optional<double> request_rate;           ///< (n - 1) / span; none where all come at once
  std::optional<double> gap_cv;                 ///< standard deviation of the gaps over their mean
  std::optional<double> peak_minute_over_mean;  ///< most arrivals in a minute from the first one on
  TokenStats input_tokens, output_tokens;
  std::optional<double> length_correlation;  ///< of input and output tokens (Pearson)
  std::optional<PrefixStats> prefixes;       ///< where the trace names blocks
  std::optional<ProgramStats> programs;      ///< where requests wait for others

  /// Minutes from the first arrival on in which requests arrive, and how many.
  std::vector<std::pair<std::int64_t, std::int64_t>> arrivals_a_minute;
  ValueCounts input_counts, output_counts;
};

/// Goes once through a trace; memory is bounded by the distinct lengths and blocks, beside what the
/// view keeps.
TraceStats trace_stats(const TraceSurvey& survey, TraceView& view, const std::string& name);

/// As a table for people.
std::string trace_stats_text(const TraceStats& stats);
/// As JSON, with the names of the table.
std::string trace_stats_json(const TraceStats& stats);
/// As pictures in `folder`: arrivals over time, lengths (.png, .svg, .pdf, .csv).
void draw_trace_stats(const TraceStats& stats, const std::string& folder);

}  // namespace tokenyard
