#pragma once

#include "sim/ports/events.hpp"
#include "sim/ports/iteration.hpp"

namespace tokenyard {

/// Carries iterations out. Implementations may use threads of their own; `begin` is called from
/// the loop's thread.
class Executor {
 public:
  virtual ~Executor() = default;

  /// How many iterations it holds at once (the pipeline's depth), at least 1. Where it is more,
  /// each begin with slots is followed by one `StageFree`, not after the iteration's end.
  virtual int depth() const { return 1; }

  /// Whether it looks at block tables. Those of slots may else be short, or empty: their blocks are
  /// counted, and which they are is left open.
  virtual bool reads_tables() const { return true; }

  /// Starts `iteration`, as often as its `repeat` permits and the executor likes. It stays valid
  /// until its end is taken. Where it has slots, posts its `IterationEnd` exactly once; for each of
  /// its copies a `CopyEnd`: to `events`, with the id as key, at a time not before `now`. Copies
  /// may overlap compute and one another.
  virtual void begin(const Iteration& iteration, Time now, Events& events) = 0;

  /// No more will be begun: lets what is under way end. Nothing is posted after it has returned.
  virtual void stop() {}
};

}  // namespace tokenyard
