#pragma once
// The events of a run. The order of the alternatives is the order of the design: at one instant
// iteration ends come first, then free stages, copy ends, cancellations and arrivals.

#include <span>

#include "sim/kernel/event_queue.hpp"
#include "sim/ports/ids.hpp"
#include "sim/ports/iteration.hpp"
#include "sim/ports/request.hpp"

namespace tokenyard {

/// Key: the iteration's id. `outcomes` has one entry a slot, in slot order; the executor owns it
/// and keeps it until the executor is given its next iteration after the pass that took this end.
struct IterationEnd {
  IterationId iteration{};
  std::span<const SlotOutcome> outcomes;
  /// Where it was repeated: when each of them ended, in order. No sequence has finished and no
  /// other event was due before the last.
  std::span<const Time> ends = {};
  /// Whether each outcome is that of a sequence of which there is nothing to say.
  bool all_go_on = false;
  /// Unless empty: the slots of whose outcome there is something to say, ascending. Owned as
  /// `outcomes` are.
  std::span<const std::size_t> told = {};
};

/// The first of an executor's several stages has done its part of an iteration, which goes on in
/// the next one: another iteration may begin. Key: the iteration's id.
struct StageFree {
  IterationId iteration{};
};

/// Key: the copy's id. What a failed copy was to bring is lost; what it read is not.
struct CopyEnd {
  CopyId copy{};
  bool failed = false;
};

/// The client gave up. Key: the request's id.
struct Cancellation {
  RequestId request{};
};

struct Handoff;

/// Key: the request's id.
struct Arrival {
  Request request;
  /// What it brings with it where it has lived on another replica; owned by the loop, valid until
  /// the pass that takes it. Null: it is new.
  const Handoff* handoff = nullptr;
};

using Events = EventQueue<IterationEnd, StageFree, CopyEnd, Cancellation, Arrival>;
using Event = Events::Event;

/// Number of kinds that a scheduler waits for while its executor can take no further iteration:
/// arrivals, cancellations and ended copies then wait for the boundary (DESIGN §3, timing rules).
inline constexpr std::size_t kKindsWhileBusy = 2;
/// The kind of an arrival.
inline constexpr std::size_t kArrivalKind = 4;

}  // namespace tokenyard
