#pragma once

#include <cstdint>

#include "sim/ports/output_oracle.hpp"
#include "traces/trace.hpp"

namespace tokenyard {

/// The true output lengths of a trace, which must outlive it and stay as it is. Immutable; safe to
/// read from several threads.
class TraceTruth final : public OutputOracle {
 public:
  explicit TraceTruth(const Trace& trace) : trace_(trace) {}

  /// `request` must be one of the trace.
  std::int64_t output_tokens(RequestId request) const override;

  /// `sequence` is 0 … width − 1. Without a list of its own a request's sequences are of one
  /// length.
  std::int64_t output_tokens(RequestId request, std::int32_t sequence) const override;

 private:
  const Trace& trace_;
};

}  // namespace tokenyard
