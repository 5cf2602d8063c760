#pragma once

#include "sim/ports/events.hpp"
#include "sim/ports/iteration.hpp"

namespace tokenyard {

/// Carries iterations out. Implementations may use threads of their own; `begin` is called from
/// the loop's thread.
class Executor {
 public:
  virtual ~Executor() = default;

  /// How many iterations it holds at once (the pipeline's depth), at least 1.
  virtual int depth() const { return 1; }

  /// Starts `iteration`, which stays valid until its end is taken, and posts its `IterationEnd`
  /// exactly once: to `events` with key = its id, at a time not before `now`.
  virtual void begin(const Iteration& iteration, Time now, Events& events) = 0;
};

}  // namespace tokenyard
