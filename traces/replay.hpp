#pragma once

#include <cstddef>

#include "sim/ports/workload.hpp"
#include "traces/trace.hpp"

namespace tokenyard {

/// Replays a trace: its arrivals, and the cancellations of impatient clients, at the recorded
/// times. Events are posted as they come near, so that a queue stays small. A cancellation is
/// posted with its arrival; one that finds its request gone is nobody's business. Refers to the
/// trace, which must outlive it and stay as it is. One object serves one run, from the loop's
/// thread.
class TraceWorkload final : public Workload {
 public:
  explicit TraceWorkload(const Trace& trace) : trace_(trace) {}

  void post_until(Time now, Events& events) override;
  bool expects_more() const override { return next_ < trace_.requests.size(); }

 private:
  void post_next(Events& events);

  const Trace& trace_;
  std::size_t next_ = 0;
};

}  // namespace tokenyard
