#pragma once
// requests.csv: one row per request, in dense order. A promise to notebooks and users: columns may
// be added at the end, never renamed.

#include <cstdint>
#include <functional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/record/text_buffer.hpp"
#include "sim/ports/observer.hpp"

namespace tokenyard {

/// A request's label; where empty, its id is written.
using RequestLabels = std::function<std::string(RequestId)>;

/// Names for what the core knows by number only. Owned by the caller.
struct RequestNames {
  RequestLabels requests;  ///< none: ids are written
  /// Name of each tenant by `TenantId`; where empty, the column is empty.
  std::span<const std::string> tenants;
  /// With an engine: digests of what the requests said, by id, 0 for none; they make up one column
  /// more. Filled while the run goes on.
  const std::vector<std::uint64_t>* token_digests = nullptr;
};

/// The name of a status as files have it: finished, rejected, cancelled.
std::string_view status_name(End end);

/// The name of a phase as files have it: queue, prefill, decode, preempted, swap.
std::string_view phase_name(Phase phase);

/// Whole nanoseconds nearest to `total` / `count` (halves go up). Preconditions: not negative, and
/// `count` >= 1.
Duration divide_rounded(Duration total, std::int64_t count);

/// Writes the file row by row. Times are seconds with nanosecond digits, and
/// queue_s + prefill_s + decode_s + preempted_s + swap_s = jct_s exactly. What does not exist is
/// an empty cell:
/// - a rejected request has only its arrival and its finish (the time of the refusal);
/// - a cancelled one has jct_s = cancellation - arrival and its parts, but neither tpot_s nor
///   normalized_latency_s, for its finish is no token's time;
/// - tpot_s needs two tokens.
/// One object, one file, one thread. Large pieces go to the stream as they are ready; both `add`
/// and `finish` throw `InputError` when it fails.
class RequestsCsv {
 public:
  /// `name` stands for the file in messages; `out` outlives the object.
  RequestsCsv(std::ostream& out, const std::string& name, RequestNames names = {});

  /// The next row. Rows are to come in dense order.
  void add(const RequestFacts& facts);

  /// Hands the rest to the stream; to be called once, after the last row.
  void finish();

 private:
  void name_cell(RequestId id);
  void digest_cell(RequestId id);
  void duration_cells(const RequestFacts& facts);

  TextBuffer out_;
  RequestNames names_;
  std::vector<std::string> tenant_cells_;  ///< as the file has them, by `TenantId`
};

}  // namespace tokenyard
