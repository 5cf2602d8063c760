#include "traces/replay.hpp"

#include <utility>

#include "traces/prompt_hashes.hpp"

namespace tokenyard {

void TraceWorkload::post_until(Time now, Events& events) {
  while (expects_more() && trace_.requests.arrival(next_) <= now) post_next(events);
  // One beyond now, so that the clock knows how far it may go; it is posted only once, because it
  // was then the last one posted.
  const bool one_ahead = next_ > 0 && trace_.requests.arrival(next_ - 1) > now;
  if (expects_more() && !one_ahead) post_next(events);
}

void TraceWorkload::on_end(RequestId request, Time, Events&) {
  hashes_.erase(request);
}

void TraceWorkload::post_next(Events& events) {
  const RequestTable& from = trace_.requests;
  const TraceOptions* const options = from.options(next_);
  Request request;
  request.id = static_cast<RequestId>(next_);
  request.arrival = from.arrival(next_);
  request.prompt_tokens = from.input_tokens(next_);
  request.tenant = from.tenant(next_);
  if (options != nullptr) {
    request.max_tokens = options->max_tokens;
    request.priority = options->priority;
    request.width = options->width();
    request.beam_search = options->beam_search();
  }
  if (kv_block_tokens_ > 0) {
    auto hashes = prompt_hashes(trace_, from[next_], kv_block_tokens_);
    if (!hashes.empty()) request.prompt_hashes = hashes_[request.id] = std::move(hashes);
  }
  events.post(request.arrival, next_, Arrival{request});
  if (options != nullptr && options->cancel_after) {
    events.post(request.arrival + *options->cancel_after, next_, Cancellation{request.id});
  }
  ++next_;
}

}  // namespace tokenyard
