#include "traces/trace_stream.hpp"

#include <algorithm>
#include <utility>

#include "sim/kernel/input_error.hpp"
#include "sim/kernel/invariant.hpp"
#include "traces/row_order.hpp"
#include "traces/row_sequence.hpp"
#include "traces/transform.hpp"

namespace tokenyard {

TraceStream::TraceStream(const std::string& path, const ReadOptions& options,
                         const TraceSurvey& survey)
    : TraceView(survey.requests, kBlockBits),
      survey_(survey),
      rows_(path, options, TraceBuilder::Ids::known),
      ordered_(row_sequence(rows_, survey.order, options.window, survey.runs.get())),
      digest_(survey.requests) {}

TraceStream::~TraceStream() = default;

void TraceStream::refuse_change() const {
  throw InputError(rows_.path(), 0, "", "the file was changed while it was read");
}

void TraceStream::free_forgotten() {
  while (blocks() > 0 && (first_block() + 1) << kBlockBits <= kept_from_) {
    drop_first();
    held_blocks_.pop_front();
  }
}

std::size_t TraceStream::held() const {
  std::size_t requests = 0;
  for (const Trace& block : held_blocks_) requests += block.requests.size();
  return requests;
}

/// From the file's own time to the trace's.
void TraceStream::set_times(RequestTable& requests) const {
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const Time arrival = requests.arrival(i) - Duration(survey_.earliest_ns);
    if (arrival < kOrigin) refuse_change();
    requests.set_arrival(i, survey_.stretch == 1 ? arrival : stretched(arrival, survey_.stretch));
  }
}

void TraceStream::load() {
  free_forgotten();
  const std::size_t wanted = std::min(size() - loaded(), std::size_t{1} << kBlockBits);
  if (wanted == 0) refuse_change();  // more is asked for than was surveyed
  TraceBuilder& builder = rows_.builder();
  while (builder.waiting() < wanted) {
    const TraceRow* const row = ordered_->next();
    if (row == nullptr) refuse_change();
    builder.add(*row);
    if (builder.counts().unsorted > 0) refuse_change();
  }
  Trace block = builder.take_block();
  set_times(block.requests);
  if (builder.tenants().size() > survey_.tenants.size()) refuse_change();
  digest_.add(block, survey_.tenants);
  held_blocks_.push_back(std::move(block));
  append(held_blocks_.back());
}

std::string TraceStream::digest() const {
  invariant(loaded() == size(), "a digest is of a whole trace", "{} of {} requests were read",
            loaded(), size());
  return digest_.text();
}

}  // namespace tokenyard
