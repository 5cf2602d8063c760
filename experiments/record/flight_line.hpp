#pragma once
// What stands in a flight record after its first line. See docs/file-formats.md.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "experiments/record/decision_words.hpp"
#include "sim/ports/events.hpp"

namespace tokenyard {

/// The end of an iteration, or of several that were one macro-step.
struct FedIterationEnd {
  IterationId iteration{};
  Time at;
  std::vector<Duration> gaps;  ///< between the ends of a macro-step; empty: it ran once
  bool all_go_on = true;       ///< as `IterationEnd` has it; then there are no outcomes
  /// Those that say something, by slot.
  std::vector<std::pair<std::size_t, SlotOutcome>> outcomes;
};

struct FedStageFree {
  IterationId iteration{};
  Time at;
};

struct FedCopyEnd {
  CopyEnd end;
  Time at;
};

struct FedArrival {
  Request request;  ///< its hashes are those below
  std::vector<BlockHash> prompt_hashes;
  std::optional<std::int64_t> output_tokens;  ///< the truth, where it is known
};

using FedEvent = std::variant<FedIterationEnd, FedStageFree, FedCopyEnd, Cancellation, FedArrival>;

/// The line that closes a feeding: so many events above it were due.
struct Fed {
  Time now;
  std::int64_t due = 0;
};

/// What a pass decided, and the fingerprint of this and all decisions before.
struct Passed {
  std::int64_t pass = 0;  ///< its number, from 0
  DecisionWords words;
  std::uint64_t digest = 0;

  friend bool operator==(const Passed&, const Passed&) = default;
};

/// The last line of a run that came to its end.
struct FlightEnd {
  std::int64_t passes = 0;
  std::string trace_digest;  ///< empty: the first line has it, or there is none
};

using FlightLine = std::variant<FedEvent, Fed, Passed, FlightEnd>;

}  // namespace tokenyard
