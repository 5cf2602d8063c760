#pragma once
// What came: a recorded or generated workload as the simulator uses it.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/kernel/time.hpp"
#include "sim/ports/ids.hpp"
#include "traces/list_pool.hpp"

namespace tokenyard {

/// The most tokens one request may have in its prompt or its output.
inline constexpr std::int64_t kMostTokens = 2'147'483'647;
/// The most sequences one request may ask for.
inline constexpr std::int64_t kMostSequences = 1'024;

/// One request of a trace, with its true output length. A value type.
struct TraceRequest {
  std::string label;  ///< the trace's own id, or the 0-based data row; decides nothing
  Time arrival = kOrigin;
  std::int64_t input_tokens = 0;  ///< 1 … kMostTokens
  /// 1 … kMostTokens; the truth, at most `max_tokens`; of the longest sequence where there are
  /// several.
  std::int64_t output_tokens = 0;
  std::optional<std::int64_t> max_tokens;
  std::optional<std::int64_t> predicted_output_tokens;
  std::int32_t priority = 0;  ///< smaller is more urgent
  TenantId tenant{};
  std::optional<Duration> cancel_after;  ///< the client gives up this long after its arrival, > 0

  // What the client asked for, as given (vLLM's names); each 1 … kMostSequences.
  std::int32_t n = 1;
  std::optional<std::int32_t> best_of;     ///< at least `n`
  std::optional<std::int32_t> beam_width;  ///< at least `n`

  ListSlice outputs;           ///< in `Trace::outputs`: an entry a sequence, or none
  ListSlice block_hashes;      ///< in `Trace::block_hashes`; none where there are token ids
  ListSlice prompt_token_ids;  ///< in `Trace::prompt_token_ids`: `input_tokens` entries, or none

  /// Whether its sequences are beams rather than samples.
  bool beam_search() const { return beam_width.value_or(1) > 1; }

  /// How many sequences are decoded together: the beams, or the greater of `n` and `best_of`.
  std::int32_t width() const {
    return beam_search() ? *beam_width : std::max(n, best_of.value_or(1));
  }

  friend bool operator==(const TraceRequest&, const TraceRequest&) = default;
};

/// Rows that did not become requests, for one reason.
struct DroppedRows {
  std::string reason;
  std::int64_t rows = 0;

  friend bool operator==(const DroppedRows&, const DroppedRows&) = default;
};

/// What reading kept and dropped: read = kept + the sum of `dropped`.
struct TraceCounts {
  std::int64_t read = 0;
  std::int64_t kept = 0;
  std::vector<DroppedRows> dropped;  ///< only reasons that occurred
  std::int64_t clamped = 0;          ///< kept rows with a length of 0 that was made 1
  std::int64_t unsorted = 0;         ///< rows that arrive before the row above them
};

/// A workload. A value type; safe to read from several threads.
struct Trace {
  std::vector<TraceRequest> requests;  ///< stably sorted by arrival; RequestId = position
  /// Names by TenantId, in the order of first appearance in `requests`. Requests without a tenant
  /// belong to the one named "".
  std::vector<std::string> tenants = {""};

  // Lists that some requests have, in the order of `requests`.
  ListPool<std::int32_t> outputs;           ///< the output lengths of parallel samples
  ListPool<std::int64_t> block_hashes;      ///< names of the prompt's blocks of `block_tokens`
  ListPool<std::int32_t> prompt_token_ids;  ///< 0 … kMostTokens
  /// How many tokens each of the block hashes names (a prompt's last one perhaps fewer). It comes
  /// from `meta`, and is 0 where that does not tell; then there are no block hashes.
  std::int64_t block_tokens = 0;

  std::string name;    ///< the file's name without its ending, or the plan it was drawn from
  std::string digest;  ///< 16 hex digits, see `digest_of`
  std::string meta;    ///< the canonical form's meta object as JSON text, "" where there is none
  TraceCounts counts;
};

/// A stable fingerprint of what a run can depend on: the number of requests, then per request its
/// label, arrival, lengths, options, tenant name and what the trace tells about its sequences and
/// its prompt (`TextHash`; an optional value is preceded by whether it is there, a list by its
/// length). 16 hex digits. It tells traces apart; it is no protection against forgery.
std::string digest_of(const Trace& trace);

}  // namespace tokenyard
