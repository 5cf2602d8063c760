#include "traces/replay.hpp"

#include <utility>

#include "traces/prompt_hashes.hpp"

namespace tokenyard {

void TraceWorkload::post_until(Time now, Events& events) {
  while (expects_more() && trace_.requests[next_].arrival <= now) post_next(events);
  // One beyond now, so that the clock knows how far it may go; it is posted only once, because it
  // was then the last one posted.
  const bool one_ahead = next_ > 0 && trace_.requests[next_ - 1].arrival > now;
  if (expects_more() && !one_ahead) post_next(events);
}

void TraceWorkload::on_end(RequestId request, Time, Events&) {
  hashes_.erase(request);
}

void TraceWorkload::post_next(Events& events) {
  const TraceRequest& from = trace_.requests[next_];
  Request request;
  request.id = static_cast<RequestId>(next_);
  request.arrival = from.arrival;
  request.prompt_tokens = from.input_tokens;
  request.max_tokens = from.max_tokens;
  request.tenant = from.tenant;
  request.priority = from.priority;
  request.width = from.width();
  request.beam_search = from.beam_search();
  if (kv_block_tokens_ > 0) {
    auto hashes = prompt_hashes(trace_, from, kv_block_tokens_);
    if (!hashes.empty()) request.prompt_hashes = hashes_[request.id] = std::move(hashes);
  }
  events.post(request.arrival, next_, Arrival{request});
  if (from.cancel_after) {
    events.post(request.arrival + *from.cancel_after, next_, Cancellation{request.id});
  }
  ++next_;
}

}  // namespace tokenyard
