#pragma once

#include <cstdint>
#include <vector>

#include "sim/kernel/time.hpp"

namespace tokenyard {

/// How often an iteration may be carried out in a row, its decodes one token further each time, and
/// the one prefill that may be among them by one chunk. It is a permission: an executor that knows
/// when each would end may use it and post one end for all of them (a macro-step,
/// docs/architecture.md); the others carry the iteration out once.
struct Repeat {
  std::int64_t most = 1;                 ///< with the first
  Time until = kNever;                   ///< the first end at or after this is the last
  Duration length = Duration::max();     ///< as is the first that makes them this long together
  std::int64_t more_context_tokens = 0;  ///< that the decodes attend to each time
  /// What the prefill has still to compute behind its first chunk. Each further chunk is as long as
  /// the first, or what is left; behind the last its sequence yields.
  std::int64_t prefill_left = 0;
};

/// Fills `ends` with the ends of iterations that follow one another from `now` on, as often as
/// `repeat` permits, at least once. `next()` says how long the next one takes.
template <typename Next>
void repeat_from(Time now, const Repeat& repeat, std::vector<Time>& ends, Next next) {
  ends.clear();
  Time end = now;
  std::int64_t most = repeat.most;
  do {
    end += next();
    ends.push_back(end);
  } while (--most > 0 && end < repeat.until && end - now < repeat.length);
}

}  // namespace tokenyard
