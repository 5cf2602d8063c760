#pragma once
// What came: a recorded or generated workload as the simulator uses it.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "traces/list_pool.hpp"
#include "traces/request_table.hpp"
#include "traces/text_hash.hpp"
#include "traces/trace_request.hpp"

namespace tokenyard {

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

  friend bool operator==(const TraceCounts&, const TraceCounts&) = default;
};

/// "19,366 rows read, 2 dropped (zero tokens)" and the like.
std::string counts_text(const TraceCounts& counts);

/// A workload. A value type; safe to read from several threads.
struct Trace {
  RequestTable requests;  ///< stably sorted by arrival; RequestId = position
  /// Names by TenantId, in the order of first appearance in `requests`. Requests without a tenant
  /// belong to the one named "".
  std::vector<std::string> tenants = {""};

  // Lists that some requests have, in the order of `requests`.
  ListPool<std::int32_t> outputs;           ///< the output lengths of parallel samples
  ListPool<std::int64_t> block_hashes;      ///< names of the prompt's blocks of `block_tokens`
  ListPool<std::int32_t> prompt_token_ids;  ///< 0 … kMostTokens
  ListPool<std::uint32_t> parents;          ///< ascending positions, before the children's
  /// What describes a request and decides nothing (session, model, source columns, …): members of
  /// a JSON object in the canonical form, where reading was asked to keep them.
  ListPool<char> details;
  /// How many tokens each of the block hashes names (a prompt's last one perhaps fewer). It comes
  /// from `meta`, and is 0 where that does not tell; then there are no block hashes.
  std::int64_t block_tokens = 0;

  std::string name;    ///< the file's name without its ending, or the plan it was drawn from
  std::string digest;  ///< 16 hex digits, see `digest_of`
  std::string meta;    ///< the canonical form's meta object as JSON text, "" where there is none
  TraceCounts counts;
};

/// A stable fingerprint of what a run can depend on: the number of requests, then per request its
/// label, arrival, lengths, options, tenant name, session and what the trace tells about its
/// sequences and its prompt (`TextHash`; an optional value is preceded by whether it is there, a
/// list by its length). 16 hex digits. It tells traces apart; it is no protection against forgery.
std::string digest_of(const Trace& trace);

/// The same, of a trace that comes in parts.
class TraceDigest {
 public:
  /// `requests` is how many the whole trace has.
  explicit TraceDigest(std::size_t requests) { hash_.word(requests); }

  /// The next requests of the trace; `tenants` are the whole trace's.
  void add(const Trace& part, std::span<const std::string> tenants);

  /// After the last request.
  std::string text() const;

 private:
  TextHash hash_;
};

}  // namespace tokenyard
