#pragma once
// A guard against starvation around any policy (docs/decisions/005-what-a-guard-promises.md).

#include <memory>
#include <string_view>

#include "sim/ports/policy.hpp"

namespace tokenyard {

/// `inner` with a bound on how long it may leave a request waiting. `text` is exactly one of
///
/// - `after_ms=X`: at a boundary, a request for which now - max(arrival, last ran) >= X ms goes
///   ahead of all that are not guarded (among the guarded, who has waited longest first, then the
///   smaller RequestId) until it has run in one iteration; then `inner` places it again.
/// - `skips=K`: the same for a request that was passed over in K iterations.
/// - `aging=R`: a request's primary key is taken as R of its units better for each second that it
///   waits. Units are the policy's own: ns of arrival (fcfs), levels (mlfq), tokens (srpt). Credit
///   counts in whole units; what is equal then keeps the order of the inner secondary key.
///
/// A policy that holds a request stays in charge of it: held requests do not go ahead. The time
/// held counts as waiting once they are ranked again.
///
/// Anything else is an `InputError` that begins with "guard: ". A change costs O(log n); no
/// boundary walks over the waiting.
std::unique_ptr<Policy> guard_against_starvation(std::unique_ptr<Policy> inner,
                                                 std::string_view text);

}  // namespace tokenyard
