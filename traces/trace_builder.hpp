#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "traces/label_set.hpp"
#include "traces/line_reader.hpp"
#include "traces/trace.hpp"

namespace tokenyard {

/// What a row with a length of zero gets.
enum class ZeroTokens : std::uint8_t { drop, clamp, error };

/// One row as a reader found it. The texts need only live during `TraceBuilder::add`.
struct TraceRow {
  std::optional<std::string_view> label;  ///< the trace's own id, where it has one
  std::int64_t arrival_ns = 0;            ///< any origin, if `finish` is told so
  std::int64_t input_tokens = 0;          ///< 0 … kMostTokens
  std::int64_t output_tokens = 0;         ///< 0 … kMostTokens
  std::optional<std::int64_t> max_tokens;
  std::optional<std::int64_t> predicted_output_tokens;
  std::int32_t priority = 0;
  std::string_view tenant;
  std::optional<Duration> cancel_after;
  std::int32_t n = 1;  ///< 1 … kMostSequences, as the next two
  std::optional<std::int32_t> best_of;
  std::optional<std::int32_t> beam_width;
  /// The output length of each sequence, 1 … kMostTokens, where the trace tells them apart;
  /// `output_tokens` is then the greatest.
  std::span<const std::int64_t> outputs;
  std::optional<std::span<const std::int64_t>> block_hashes;
  std::optional<std::span<const std::int64_t>> prompt_token_ids;  ///< 0 … kMostTokens
};

/// Where the times of a format count from.
enum class TraceOrigin : std::uint8_t {
  zero,         ///< arrivals are from the trace's origin already; a negative one is an error
  earliest_row  ///< the earliest row (kept or not) becomes the origin
};

/// Takes the rows of any format and makes the trace: counts, drops, checks ids, sorts. The rules
/// that all formats share are here and nowhere else. Refers to `lines` for the places in messages.
class TraceBuilder {
 public:
  TraceBuilder(const LineReader& lines, ZeroTokens zero) : lines_(lines), zero_(zero) {}

  /// Throws `InputError` at the current line for what no format allows: a duplicate id, an output
  /// beyond `max_tokens`, a control character in a name, a zero length where that is an error,
  /// sequences or lists that contradict one another or the lengths.
  void add(const TraceRow& row);

  /// The meta object, and the `block_tokens` that it gives, where it does. Before the rows.
  void set_meta(std::string json, std::int64_t block_tokens = 0) {
    trace_.meta = std::move(json);
    trace_.block_tokens = block_tokens;
  }

  /// The trace, sorted and counted; without requests it is an `InputError`. Called once.
  Trace finish(TraceOrigin origin);

 private:
  TenantId tenant(std::string_view name);
  void check_label(std::string_view label, std::int64_t row);
  void check_sequences(const TraceRow& row) const;
  void check_prompt(const TraceRow& row) const;

  const LineReader& lines_;
  ZeroTokens zero_;
  Trace trace_;
  LabelSet labels_;
  bool row_numbers_ = true;  ///< every id so far was the number of its row, and is in no set
  TenantId last_tenant_{};
  std::unordered_map<std::string, TenantId> tenant_ids_;
  std::vector<std::string> tenant_names_;
  std::int64_t zero_rows_ = 0;
  std::int64_t earliest_ = 0;
  std::int64_t previous_ = 0;
};

/// Sorts the requests stably by arrival, renumbers the tenants in the order of their first
/// appearance, packs the lists in the order of the requests (those of no request go), and
/// recomputes `counts.kept` and the digest. For everything that makes or changes a trace.
void settle(Trace& trace);

}  // namespace tokenyard
