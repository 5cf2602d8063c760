#pragma once
// requests.csv: one row per request, in dense order. A promise to notebooks and users: columns may
// be added at the end, never renamed.

#include <ostream>
#include <span>
#include <string>

#include "sim/ports/observer.hpp"

namespace tokenyard {

/// Names for what the core knows by number only.
struct RequestNames {
  /// Label of each request by dense id; where empty, the id is written.
  std::span<const std::string> requests;
  /// Name of each tenant by `TenantId`; where empty, the column is empty.
  std::span<const std::string> tenants;
};

/// The name of a status as files have it: finished, rejected, cancelled.
std::string_view status_name(End end);

/// Whole nanoseconds nearest to `total` / `count` (halves go up). Preconditions: not negative, and
/// `count` >= 1.
Duration divide_rounded(Duration total, std::int64_t count);

/// Writes the whole file. Times are seconds with nanosecond digits, and
/// queue_s + prefill_s + decode_s + preempted_s + swap_s = jct_s exactly. What does not exist is
/// an empty cell:
/// - a rejected request has only its arrival and its finish (the time of the refusal);
/// - a cancelled one has jct_s = cancellation - arrival and its parts, but neither tpot_s nor
///   normalized_latency_s, for its finish is no token's time;
/// - tpot_s needs two tokens.
/// `name` stands for the file in messages. Throws `InputError` when the stream fails.
void write_requests_csv(std::ostream& out, const std::string& name,
                        std::span<const RequestFacts> requests, const RequestNames& names);

}  // namespace tokenyard
