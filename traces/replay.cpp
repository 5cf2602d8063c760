#include "traces/replay.hpp"

#include <utility>

#include "traces/prompt_hashes.hpp"

namespace tokenyard {

void TraceWorkload::post_until(Time now, Events& events) {
  while (expects_more() && next_arrival() <= now) post_next(events);
  // One beyond now, so that the clock knows how far it may go; it is posted only once, because it
  // was then the last one posted.
  const bool one_ahead = next_ > 0 && last_posted_ > now;
  if (expects_more() && !one_ahead) post_next(events);
}

Time TraceWorkload::next_arrival() {
  trace_.need(next_);
  const TraceView::Place place = trace_.place(next_);
  return place.table().arrival(place.at);
}

void TraceWorkload::on_end(RequestId request, Time, Events&) {
  hashes_.erase(request);
}

void TraceWorkload::post_next(Events& events) {
  trace_.need(next_);
  const TraceView::Place place = trace_.place(next_);
  const RequestTable& from = place.table();
  const TraceOptions* const options = from.options(place.at);
  Request request;
  request.id = static_cast<RequestId>(next_);
  request.arrival = from.arrival(place.at);
  request.prompt_tokens = from.input_tokens(place.at);
  request.tenant = from.tenant(place.at);
  if (options != nullptr) {
    request.max_tokens = options->max_tokens;
    request.priority = options->priority;
    request.width = options->width();
    request.beam_search = options->beam_search();
  }
  if (kv_block_tokens_ > 0) {
    auto hashes = prompt_hashes(*place.trace, from[place.at], kv_block_tokens_);
    if (!hashes.empty()) request.prompt_hashes = hashes_[request.id] = std::move(hashes);
  }
  events.post(request.arrival, next_, Arrival{request});
  if (options != nullptr && options->cancel_after) {
    events.post(request.arrival + *options->cancel_after, next_, Cancellation{request.id});
  }
  last_posted_ = request.arrival;
  ++next_;
}

}  // namespace tokenyard
