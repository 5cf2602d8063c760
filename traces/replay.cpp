#include "traces/replay.hpp"

#include <utility>

#include "traces/prompt_hashes.hpp"

namespace tokenyard {

TraceWorkload::TraceWorkload(TraceView& trace, std::int64_t kv_block_tokens)
    : trace_(trace), kv_block_tokens_(kv_block_tokens) {
  const Trace* const whole = trace_.whole();
  if (whole == nullptr || whole->parents.empty()) return;
  children_.emplace(*whole);
  open_parents_.resize(trace_.size(), 0);
  for (const std::uint32_t child : children_->children) waiting_ += open_parents_[child]++ == 0;
}

bool TraceWorkload::find_root() {
  const auto waits = [this](std::size_t id) {
    const TraceView::Place place = trace_.place(id);
    const TraceOptions* const options = place.table().options(place.at);
    return options != nullptr && options->parents.count > 0;
  };
  while (children_ && next_ < trace_.size() && waits(next_)) ++next_;
  return next_ < trace_.size();
}

void TraceWorkload::post_until(Time now, Events& events) {
  while (find_root() && next_arrival() <= now) post_next(events);
  // One beyond now, so that the clock knows how far it may go; it is posted only once, because it
  // was then the last one posted.
  const bool one_ahead = next_ > 0 && last_posted_ > now;
  if (find_root() && !one_ahead) post_next(events);
}

Time TraceWorkload::next_arrival() {
  trace_.need(next_);
  const TraceView::Place place = trace_.place(next_);
  return place.table().arrival(place.at);
}

void TraceWorkload::on_end(RequestId request, Time now, Events& events) {
  hashes_.erase(request);
  if (!children_) return;
  for (const std::uint32_t child : children_->of(index(request))) {
    if (--open_parents_[child] > 0) continue;
    --waiting_;
    const TraceView::Place place = trace_.place(child);
    post(child, now + place.table().options(place.at)->delay, events);
  }
}

void TraceWorkload::post_next(Events& events) {
  last_posted_ = next_arrival();
  post(next_, last_posted_, events);
  ++next_;
  find_root();
}

void TraceWorkload::post(std::size_t id, Time arrival, Events& events) {
  const TraceView::Place place = trace_.place(id);
  const RequestTable& from = place.table();
  const TraceOptions* const options = from.options(place.at);
  Request request;
  request.id = static_cast<RequestId>(id);
  request.arrival = arrival;
  request.prompt_tokens = from.input_tokens(place.at);
  request.tenant = from.tenant(place.at);
  if (options != nullptr) {
    request.max_tokens = options->max_tokens;
    request.priority = options->priority;
    request.session = options->session;
    request.width = options->width();
    request.beam_search = options->beam_search();
  }
  if (kv_block_tokens_ > 0) {
    auto hashes = prompt_hashes(*place.trace, from[place.at], kv_block_tokens_);
    if (!hashes.empty()) request.prompt_hashes = hashes_[request.id] = std::move(hashes);
  }
  events.post(request.arrival, id, Arrival{request});
  if (options != nullptr && options->cancel_after) {
    events.post(request.arrival + *options->cancel_after, id, Cancellation{request.id});
  }
}

}  // namespace tokenyard
