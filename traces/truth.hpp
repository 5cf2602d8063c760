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

 private:
  std::vector<std::int32_t> output_tokens_;
};

}  // namespace tokenyard
