#pragma once
// Traces made of parts of others.

#include <cstdint>
#include <optional>
#include <vector>

#include "traces/trace.hpp"

namespace tokenyard {

/// Which requests to keep: first by time, then by count.
struct Slice {
  std::optional<double> from_s, to_s;  ///< arrivals in [from, to)
  std::int64_t skip = 0;               ///< leave out so many
  std::optional<std::int64_t> first;   ///< then keep at most so many
};

/// Keeps a slice; the rest count as dropped. Times count from `from_s` or, where some were skipped,
/// from the first request that is kept. `InputError` where no request is left.
void slice(Trace& trace, const Slice& slice);

/// All requests of several traces, from one common origin. Ids become "K/ID" with K the number of
/// the trace, from 1. Tenants of the same name are the same. Prompts of different traces share no
/// content: names of blocks are made different. `InputError` where traces name blocks of different
/// sizes.
Trace superpose(std::vector<Trace> traces);

/// One moving-block resample (Kunsch, "The jackknife and the bootstrap for general stationary
/// observations", Ann. Stat. 17, 1989): windows of `block_s` seconds, each from anywhere in the
/// trace, one after another until they cover as long a time; the last is cut. Inside a window all
/// stays as it was recorded. Windows come from the stream "resample". Ids become "K/ID" with K the
/// number of the window. Prompts share content only inside a window: a request that is drawn twice
/// is not found in the prefix cache for that. `InputError` where the blocks are not shorter than
/// the trace, or no request is drawn.
Trace resample(const Trace& trace, double block_s, std::uint64_t seed);

}  // namespace tokenyard
