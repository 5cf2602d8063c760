#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "traces/reader.hpp"
#include "traces/trace_view.hpp"

namespace tokenyard {

class SortedRuns;

/// In which order the rows of a file stand.
enum class RowOrder : std::uint8_t {
  sorted,         ///< by arrival
  within_window,  ///< `ReadOptions::window` rows in memory are enough to sort them
  scattered       ///< they were sorted into a temporary file
};

/// What is known of a trace as a whole before its requests are. A value type.
struct TraceSurvey {
  std::size_t requests = 0;          ///< within the limit
  std::int64_t output_tokens = 0;    ///< the sum
  std::int64_t longest_context = 0;  ///< the greatest prompt and output together
  std::int64_t sessions = 0;         ///< see `TraceOptions::session`
  Time first_arrival = kOrigin, last_arrival = kOrigin;
  std::vector<std::string> tenants;  ///< by `TenantId`
  TraceCounts counts;

  std::int64_t earliest_ns = 0;  ///< what the times count from, in the file's own time
  RowOrder order = RowOrder::sorted;
  std::shared_ptr<const SortedRuns> runs;  ///< of a scattered file
  /// What arrivals are multiplied by as they are read, see `scale_to_rate`. Those above are not.
  double stretch = 1;
};

/// Of a trace in memory.
TraceSurvey survey_of(const Trace& trace);

/// Reads a trace file to its end and keeps none of it, with every check that `read_trace` makes and
/// in its words (`InputError`). Empty where requests wait for others: such a trace must be read
/// whole. A file is read a second time where its rows are not sorted, and a third where a window
/// does not suffice; a temporary file then takes some 40 bytes a plain request, as long as the
/// survey or a copy of it lives. Memory is that of the window, and of a set of the ids (11 to 22
/// bytes each and their text) where these are not the numbers of the rows and not trusted.
std::optional<TraceSurvey> survey_trace(const std::string& path, const ReadOptions& options);

class RowSequence;

/// Reads a surveyed trace along with a run: in blocks, as far as they are needed, and frees those
/// whose requests are forgotten. The requests are those of `read_trace`, and so is the digest. One
/// object serves one run, from the loop's thread.
class TraceStream final : public TraceView {
 public:
  /// `survey` must outlive it. Throws `InputError` where the file cannot be read; later, where it
  /// is no longer the one surveyed.
  TraceStream(const std::string& path, const ReadOptions& options, const TraceSurvey& survey);
  ~TraceStream() override;

  void forget_before(std::size_t id) override { kept_from_ = id; }

  std::string digest() const override;

  /// How many requests are in memory.
  std::size_t held() const;

 private:
  static constexpr int kBlockBits = 12;

  void load() override;
  void free_forgotten();
  void set_times(RequestTable& requests) const;
  [[noreturn]] void refuse_change() const;

  const TraceSurvey& survey_;
  TraceRows rows_;
  std::unique_ptr<RowSequence> ordered_;  ///< the rows in their order
  TraceDigest digest_;
  std::deque<Trace> held_blocks_;  ///< at fixed places, for the view points to them
  std::size_t kept_from_ = 0;
};

}  // namespace tokenyard
