#include "traces/truth.hpp"

#include "sim/kernel/invariant.hpp"

namespace tokenyard {

TraceTruth::TraceTruth(const Trace& trace) {
  output_tokens_.reserve(trace.requests.size());
  for (const auto& request : trace.requests) {
    output_tokens_.push_back(static_cast<std::int32_t>(request.output_tokens));
  }
}

std::int64_t TraceTruth::output_tokens(RequestId request) const {
  invariant(index(request) < output_tokens_.size(), "the truth knows every request",
            "request {} of {}", index(request), output_tokens_.size());
  return output_tokens_[index(request)];
}

}  // namespace tokenyard
