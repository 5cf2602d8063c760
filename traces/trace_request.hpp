#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

#include "sim/kernel/time.hpp"
#include "sim/ports/ids.hpp"
#include "traces/list_pool.hpp"

namespace tokenyard {

/// The most tokens one request may have in its prompt or its output.
inline constexpr std::int64_t kMostTokens = 2'147'483'647;
/// The most sequences one request may ask for.
inline constexpr std::int64_t kMostSequences = 1'024;

/// What few requests of a trace have beyond a time and two lengths. A value type.
struct TraceOptions {
  std::optional<std::int64_t> max_tokens;
  std::optional<std::int64_t> predicted_output_tokens;
  std::optional<Duration> cancel_after;  ///< the client gives up this long after its arrival, > 0
  std::int32_t priority = 0;             ///< smaller is more urgent

  // What the client asked for, as given (vLLM's names); each 1 … kMostSequences.
  std::int32_t n = 1;
  std::optional<std::int32_t> best_of;     ///< at least `n`
  std::optional<std::int32_t> beam_width;  ///< at least `n`

  ListSlice outputs;           ///< in `Trace::outputs`: an entry a sequence, or none
  ListSlice block_hashes;      ///< in `Trace::block_hashes`; none where there are token ids
  ListSlice prompt_token_ids;  ///< in `Trace::prompt_token_ids`: `input_tokens` entries, or none

  /// In `Trace::parents`: it is sent when the last of them has ended, and `delay` has passed. Its
  /// arrival is then only where it would come if requests took no time.
  ListSlice parents;
  Duration delay{};
  bool arrival_given = true;  ///< by the trace; else it follows from the parents'

  /// The number of its session (a conversation or an agent's task), from 1 in the order of their
  /// first requests; 0: it belongs to none.
  std::uint32_t session = 0;

  ListSlice details;  ///< in `Trace::details`: what the canonical form has beyond all this, if kept

  /// Whether its sequences are beams rather than samples.
  bool beam_search() const { return beam_width.value_or(1) > 1; }

  /// How many sequences are decoded together: the beams, or the greater of `n` and `best_of`.
  std::int32_t width() const {
    return beam_search() ? *beam_width : std::max(n, best_of.value_or(1));
  }

  friend bool operator==(const TraceOptions&, const TraceOptions&) = default;
};

/// One request of a trace, with its true output length. A value type.
struct TraceRequest : TraceOptions {
  std::string label;  ///< the trace's own id, or the 0-based data row; decides nothing
  Time arrival = kOrigin;
  std::int64_t input_tokens = 0;  ///< 1 … kMostTokens
  /// 1 … kMostTokens; the truth, at most `max_tokens`; of the longest sequence where there are
  /// several.
  std::int64_t output_tokens = 0;
  TenantId tenant{};

  friend bool operator==(const TraceRequest&, const TraceRequest&) = default;
};

}  // namespace tokenyard
