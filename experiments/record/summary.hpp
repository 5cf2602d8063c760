#pragma once
// The numbers of a run, by their public names. The single source of summary.csv, the table, the
// JSON output and the rules that compare them with bounds.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "experiments/record/recorder.hpp"

namespace tokenyard {

/// What a row of results is called.
struct SummaryKey {
  std::string label;   ///< unique in a result folder: policy, and system and seed where they vary
  std::string series;  ///< the label without the seed: what several seeds have in common
  std::string policy;
  std::string system;
  std::uint64_t seed = 0;
  bool clairvoyant = false;  ///< it used knowledge of the true output lengths
  // Axes of a sweep; empty outside one.
  std::string variant{};
  std::optional<double> request_rate{};  ///< requests/s
};

/// Whether two runs can be compared one by one: they have the same seed and, in a sweep, the same
/// rate.
bool comparable(const SummaryKey& a, const SummaryKey& b);

/// One row of summary.csv. A value that does not exist (no sample, no reference) is empty.
struct Summary {
  SummaryKey key;
  std::vector<std::pair<std::string, std::optional<double>>> values;  ///< in the file's order
  /// What no schedule of the same requests can fall below, where that was asked for.
  std::optional<double> lower_bound_mean_jct_s{};

  /// The value of this name; empty when it has none or there is no such name.
  std::optional<double> value(std::string_view name) const;
};

/// The names of the values that every summary has, in the order of summary.csv.
const std::vector<std::string>& summary_names();

/// Those of the values that follow where a trace has sessions, or requests that wait for others.
const std::vector<std::string>& program_names();

/// Both: what rules may name.
const std::vector<std::string>& metric_names();

/// The names of the values that some of these have.
std::vector<std::string> names_in(std::span<const Summary> summaries);

/// Computes the summary of a finished run. Where the recorder was not told how long requests take
/// alone, there is no slowdown and no fairness.
///
/// Requests that arrived before the recorder's warm-up are left out of everything. Of the rest:
/// requests, completed, rejected are counts (cancelled are the others). duration_s is the last end
/// minus the first arrival; request_throughput is completed / duration_s and
/// output_token_throughput the completed requests' tokens / duration_s. Latencies are over the
/// completed requests: jct_s = finish - arrival, ttft_s = first token - arrival, tpot_s = (finish
/// - first token) / (tokens - 1) where there are two tokens, normalized_latency_s = jct / tokens,
/// slowdown = jct / alone; itl_s is over all token gaps, whoever's. Preemptions, swaps and
/// recomputed tokens are sums. jain_fairness is Jain's index over the tenants' mean slowdowns,
/// or, where there is one tenant, over the requests' slowdowns.
///
/// A program is what requests that wait for one another, or are of one session, make up; a request
/// of neither is one by itself. It has completed when all its requests have, and program_jct_s is
/// then its last finish minus its first arrival. Programs count that begin within the same time.
Summary summarize(SummaryKey key, const Recorder& recorder);

/// The column of summary.csv for the bound: the last, and only there where a row has one.
inline constexpr const char* kBoundName = "lower_bound_mean_jct_s";

bool has_bounds(std::span<const Summary> summaries);

/// The mean JCT over the bound, where both are known.
std::optional<double> jct_over_bound(const Summary& summary);

/// The columns of a summary.csv from the first value on.
class SummaryColumns {
 public:
  /// Of a file with these rows.
  explicit SummaryColumns(std::span<const Summary> summaries);

  // The end of a line, from the comma before the first value on.
  std::string header() const;
  std::string cells(const Summary& summary) const;

 private:
  std::vector<std::string> names_;
  bool bounded_;
};

/// The text of summary.csv.
std::string summary_csv(std::span<const Summary> summaries);

/// The text of summary_ci.csv: one row per series and system, in the order of first appearance:
/// label,policy,system,seeds and for every value M its mean over the seeds in the column M and the
/// half-width of its 95 % t interval in M_ci95_half_width. Seeds without the value are left out of
/// its mean; fewer than two give no half-width.
std::string summary_ci_csv(std::span<const Summary> summaries);

}  // namespace tokenyard
