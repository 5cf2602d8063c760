#include "sim/server/serve.hpp"

#include <vector>

#include "sim/kernel/invariant.hpp"

namespace tokenyard {

namespace {

struct Stopper {
  explicit Stopper(Executor& stopped) : executor(stopped) {}
  ~Stopper() { executor.stop(); }
  Stopper(const Stopper&) = delete;
  Stopper& operator=(const Stopper&) = delete;
  Executor& executor;
};

}  // namespace

std::int64_t serve(Scheduler& scheduler, Clock& clock, Workload& workload, Executor& executor,
                   Observer& observer) {
  Events events;
  const Stopper stopper{executor};  // before the events go, however this ends
  std::vector<Event> due;
  std::int64_t passes = 0;
  workload.post_until(kOrigin, events);
  while (!scheduler.drained() || workload.expects_more() || events.has(kArrivalKind)) {
    const Time now = clock.wait(events, scheduler.wake_at(), scheduler.kinds_awaited());
    workload.post_until(now, events);
    events.take_due(now, due);
    observer.fed(now, due);
    for (;;) {
      const Iteration& iteration = scheduler.pass(now, due);
      ++passes;
      observer.passed(now, iteration);
      for (const RequestId request : scheduler.ended()) workload.on_end(request, now, events);
      if (iteration.empty()) break;
      executor.begin(iteration, now, events);
      if (!scheduler.can_decide_more()) break;
      due.clear();
    }
    const auto wakes = [&] { return scheduler.wake_at() > now && scheduler.wake_at() != kNever; };
    const bool more_to_come =
        scheduler.anything_in_flight() || !events.empty() || workload.expects_more() || wakes();
    if (!more_to_come && !scheduler.drained()) {
      break_invariant("I10 a run goes on while there is work",
                      "nothing runs and nothing will: " + scheduler.explain());
    }
  }
  return passes;
}

}  // namespace tokenyard
