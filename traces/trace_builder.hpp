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
#include "traces/parents.hpp"
#include "traces/trace.hpp"

namespace tokenyard {

/// What a row with a length of zero gets.
enum class ZeroTokens : std::uint8_t { drop, clamp, error };

/// One row as a reader found it. The texts need only live during `TraceBuilder::add`.
struct TraceRow {
  std::optional<std::string_view> label;  ///< the trace's own id, where it has one
  std::int64_t arrival_ns = 0;            ///< any origin, if `finish` is told so
  bool arrival_given = true;              ///< may be false where there are parents
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
  std::span<const std::string> parents;  ///< labels of any rows of the file
  Duration delay{};                      ///< after the last parent's end
  std::string_view session;              ///< the name of its session; empty: none
  std::string_view details;              ///< see `Trace::details`
  /// The 0-based data row that it is, where rows come in another order than the file's.
  std::optional<std::int64_t> number;
};

/// Where the times of a format count from.
enum class TraceOrigin : std::uint8_t {
  zero,         ///< arrivals are from the trace's origin already; a negative one is an error
  earliest_row  ///< the earliest row (kept or not) becomes the origin
};

/// What a trace says of itself before its requests.
struct TraceMeta {
  std::string json;  ///< the canonical form's meta object, "" where there is none
  std::int64_t block_tokens = 0;
};

/// Takes the rows of any format and makes the trace: counts, drops, checks ids, sorts. The rules
/// that all formats share are here and nowhere else. Refers to `lines` for the places in messages.
class TraceBuilder {
 public:
  /// Whether ids are checked; checked but not compared with one another, because somebody says that
  /// none is there twice; or known to be right from an earlier reading.
  enum class Ids : std::uint8_t { checked, trusted, known };

  TraceBuilder(const LineReader& lines, ZeroTokens zero, Ids ids = Ids::checked)
      : lines_(lines), zero_(zero), ids_(ids) {}

  /// Throws `InputError` at the current line for what no format allows: a duplicate id, an output
  /// beyond `max_tokens`, a control character in a name, a zero length where that is an error,
  /// sequences or lists that contradict one another or the lengths.
  void add(const TraceRow& row);

  /// Before the rows.
  void set_meta(TraceMeta meta) {
    trace_.meta = std::move(meta.json);
    trace_.block_tokens = meta.block_tokens;
  }

  /// Counts of the rows so far; `kept` and `dropped` after `check_whole`.
  const TraceCounts& counts() const { return trace_.counts; }
  /// The names of the tenants of the requests so far.
  const std::vector<std::string>& tenants() const { return tenant_names_; }
  /// Whether a row so far waits for others: such a trace is read whole.
  bool waits() const { return !waiting_rows_.empty(); }
  /// The earliest arrival of any row so far, in the file's own time.
  std::int64_t earliest_ns() const { return earliest_; }

  /// Refuses a trace without requests, and one that is too long; completes the counts. Called once,
  /// after the last row. `origin_ns` is what the file's times count from.
  void check_whole(std::int64_t origin_ns);

  /// The trace, checked as a whole, sorted and counted. Called once, after the last row, where no
  /// block was taken.
  Trace finish(std::int64_t origin_ns);

  // Rows may also be taken away in blocks, in the order of the file.

  /// How many requests the next block would have.
  std::size_t waiting() const { return trace_.requests.size(); }
  /// The requests added since the last block, with their lists; their arrivals are in the file's
  /// own time, their tenants those of `tenants`. They have labels where ids are not checked.
  Trace take_block();

 private:
  void keep_parents(const TraceRow& row);
  TenantId tenant(std::string_view name);
  std::uint32_t session(std::string_view name);
  std::uint32_t label_number(const TraceRow& row, std::int64_t number);
  void check_label(std::string_view label, std::int64_t row);
  void check_label_text(std::string_view label) const;
  void check_sequences(const TraceRow& row) const;
  void check_prompt(const TraceRow& row) const;

  const LineReader& lines_;
  ZeroTokens zero_;
  Ids ids_;
  Trace trace_;
  LabelSet labels_;
  LabelPool block_labels_;   ///< of the requests of this block, where ids are not checked
  bool row_numbers_ = true;  ///< every id so far was the number of its row, and is in no set
  TenantId last_tenant_{};
  std::unordered_map<std::string, TenantId> tenant_ids_;
  std::vector<std::string> tenant_names_;
  std::unordered_map<std::string, std::uint32_t> session_numbers_;
  std::vector<WaitingRow> waiting_rows_;
  std::int64_t zero_rows_ = 0;
  bool any_arrival_ = false;
  std::int64_t earliest_ = 0;
  std::int64_t previous_ = 0;
  std::int64_t kept_ = 0;
  std::int64_t latest_kept_ = 0;
};

/// Sorts the requests stably by arrival (parents before their children), renumbers the tenants and
/// the sessions in the order of their first appearance, packs the lists in the order of the
/// requests (those of no request go), and recomputes `counts.kept` and the digest. For everything
/// that makes or changes a trace.
void settle(Trace& trace);

}  // namespace tokenyard
