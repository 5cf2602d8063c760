#include "traces/truth.hpp"

#include <utility>

#include "sim/kernel/invariant.hpp"

namespace tokenyard {

std::int64_t TraceTruth::output_tokens(RequestId request) const {
  const RequestTable& requests = trace_.requests;
  invariant(index(request) < requests.size(), "the truth knows every request", "request {} of {}",
            index(request), requests.size());
  return requests.output_tokens(index(request));
}

std::int64_t TraceTruth::output_tokens(RequestId request, std::int32_t sequence) const {
  const std::int64_t longest = output_tokens(request);
  const TraceOptions* const options = trace_.requests.options(index(request));
  if (options == nullptr || options->outputs.count == 0) return longest;
  const auto list = trace_.outputs.at(options->outputs);
  invariant(sequence >= 0 && std::cmp_less(sequence, list.size()), "the truth knows every sequence",
            "sequence {} of {}, request {}", sequence, list.size(), index(request));
  return list[static_cast<std::size_t>(sequence)];
}

}  // namespace tokenyard
