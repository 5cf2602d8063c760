#pragma once

#include "sim/ports/events.hpp"

namespace tokenyard {

/// Where requests come from. Used by the loop's thread only.
class Workload {
 public:
  virtual ~Workload() = default;

  /// Posts every arrival and cancellation up to `now`, and at least the next arrival after that
  /// where there is one. Called before the first wait (with the origin) and after each.
  virtual void post_until(Time now, Events& events) = 0;

  /// Told of each request's end (whatever its status), so that closed loops can go on.
  virtual void on_end(RequestId request, Time now, Events& events);

  /// Whether arrivals may still be posted.
  virtual bool expects_more() const = 0;
};

inline void Workload::on_end(RequestId, Time, Events&) {}

}  // namespace tokenyard
