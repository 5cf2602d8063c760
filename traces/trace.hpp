#pragma once
// What came: a recorded or generated workload as the simulator uses it.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/kernel/time.hpp"
#include "sim/ports/ids.hpp"

namespace tokenyard {

/// The most tokens one request may have in its prompt or its output.
inline constexpr std::int64_t kMostTokens = 2'147'483'647;

/// One request of a trace, with its true output length. A value type.
struct TraceRequest {
  std::string label;  ///< the trace's own id, or the 0-based data row; decides nothing
  Time arrival = kOrigin;
  std::int64_t input_tokens = 0;   ///< 1 … kMostTokens
  std::int64_t output_tokens = 0;  ///< 1 … kMostTokens; the truth, at most `max_tokens`
  std::optional<std::int64_t> max_tokens;
  std::optional<std::int64_t> predicted_output_tokens;
  std::int32_t priority = 0;  ///< smaller is more urgent
  TenantId tenant{};
  std::optional<Duration> cancel_after;  ///< the client gives up this long after its arrival, > 0

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
  std::string name;    ///< the file's name without its ending, or the plan it was drawn from
  std::string digest;  ///< 16 hex digits, see `digest_of`
  std::string meta;    ///< the canonical form's meta object as JSON text, "" where there is none
  TraceCounts counts;
};

/// A stable fingerprint of what a run can depend on: the number of requests, then per request its
/// label, arrival, lengths, options and tenant name (`TextHash`; an optional value is preceded by
/// whether it is there). 16 hex digits. It tells traces apart; it is no protection against forgery.
std::string digest_of(const Trace& trace);

}  // namespace tokenyard
