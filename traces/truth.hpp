#pragma once

#include <cstdint>
#include <vector>

#include "sim/ports/output_oracle.hpp"
#include "traces/trace.hpp"

namespace tokenyard {

/// The true output lengths of a trace. It keeps its own dense copy, so the trace need not outlive
/// it. Immutable; safe to read from several threads.
class TraceTruth final : public OutputOracle {
 public:
  explicit TraceTruth(const Trace& trace);

  /// `request` must be one of the trace.
  std::int64_t output_tokens(RequestId request) const override;

  /// `sequence` is 0 … width − 1. Without a list of its own a request's sequences are of one
  /// length.
  std::int64_t output_tokens(RequestId request, std::int32_t sequence) const override;

 private:
  std::vector<std::int32_t> output_tokens_;
  ListPool<std::int32_t> lists_;
  std::vector<ListSlice> list_of_;  // by request; empty where no request has a list
};

}  // namespace tokenyard
