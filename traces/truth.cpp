#include "traces/truth.hpp"

#include <utility>

#include "sim/kernel/invariant.hpp"

namespace tokenyard {

std::int64_t TraceTruth::output_tokens(RequestId request) const {
  const TraceView::Place place = trace_.place(index(request));
  return place.table().output_tokens(place.at);
}

std::int64_t TraceTruth::output_tokens(RequestId request, std::int32_t sequence) const {
  const TraceView::Place place = trace_.place(index(request));
  const std::int64_t longest = place.table().output_tokens(place.at);
  const TraceOptions* const options = place.table().options(place.at);
  if (options == nullptr || options->outputs.count == 0) return longest;
  const auto list = place.trace->outputs.at(options->outputs);
  invariant(sequence >= 0 && std::cmp_less(sequence, list.size()), "the truth knows every sequence",
            "sequence {} of {}, request {}", sequence, list.size(), index(request));
  return list[static_cast<std::size_t>(sequence)];
}

}  // namespace tokenyard
