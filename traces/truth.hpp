#pragma once

#include <cstdint>

#include "sim/ports/output_oracle.hpp"
#include "traces/trace_view.hpp"

namespace tokenyard {

/// The true output lengths of a trace, of those requests that its view has in memory. The view must
/// outlive it. For the loop's thread.
class TraceTruth final : public OutputOracle {
 public:
  explicit TraceTruth(const TraceView& trace) : trace_(trace) {}

  /// `request` must be one of the trace.
  std::int64_t output_tokens(RequestId request) const override;

  /// `sequence` is 0 … width − 1. Without a list of its own a request's sequences are of one
  /// length.
  std::int64_t output_tokens(RequestId request, std::int32_t sequence) const override;

 private:
  const TraceView& trace_;
};

}  // namespace tokenyard
