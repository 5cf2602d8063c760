#include "traces/truth.hpp"

#include <utility>

#include "sim/kernel/invariant.hpp"

namespace tokenyard {

TraceTruth::TraceTruth(const Trace& trace) : lists_(trace.outputs) {
  output_tokens_.reserve(trace.requests.size());
  for (const auto& request : trace.requests) {
    output_tokens_.push_back(static_cast<std::int32_t>(request.output_tokens));
  }
  if (lists_.empty()) return;
  list_of_.reserve(trace.requests.size());
  for (const auto& request : trace.requests) list_of_.push_back(request.outputs);
}

std::int64_t TraceTruth::output_tokens(RequestId request) const {
  invariant(index(request) < output_tokens_.size(), "the truth knows every request",
            "request {} of {}", index(request), output_tokens_.size());
  return output_tokens_[index(request)];
}

std::int64_t TraceTruth::output_tokens(RequestId request, std::int32_t sequence) const {
  const std::int64_t longest = output_tokens(request);
  if (list_of_.empty() || list_of_[index(request)].count == 0) return longest;
  const auto list = lists_.at(list_of_[index(request)]);
  invariant(sequence >= 0 && std::cmp_less(sequence, list.size()), "the truth knows every sequence",
            "sequence {} of {}, request {}", sequence, list.size(), index(request));
  return list[static_cast<std::size_t>(sequence)];
}

}  // namespace tokenyard
