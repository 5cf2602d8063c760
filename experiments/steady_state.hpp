#pragma once
// What runs in steady state need beside an ordinary run: where the warm-up ends, how far one run
// tells its mean, and whether there is a steady state at all.

#include <cstdint>
#include <string>
#include <vector>

#include "experiments/run_json.hpp"

namespace tokenyard {

class Progress;

/// Where the warm-up of a trace ends, and what a reader should know about it.
struct FoundWarmup {
  Time end = kOrigin;  ///< requests that arrive before it are left out
  std::vector<std::string> notes;
};

/// Runs the trace under each row once more and finds the warm-up by MSER-5 on the completion times
/// in the order of arrival. It is the longest of the rows', so that the same requests are compared
/// under each policy; where one shows no end of it, half of the requests are left out. With
/// `intervals` the notes give each row's mean JCT with its
/// interval by batch means. Tells `progress`, unless it is null.
FoundWarmup find_warmup(const std::vector<RunRow>& rows, const RunTrace& trace, std::uint64_t seed,
                        bool intervals, Progress* progress);

/// Whether the runs of a series, one a seed, show that there is no steady state: from five on as
/// independent replications, else by the parts of all. Each is what `BacklogWatch` saw.
bool shows_no_steady_state(const std::vector<std::vector<double>>& runs);

/// Whether the seeds so far are enough for the plan's goals, and about how many it takes.
struct SeedsNeeded {
  bool reached = true;
  std::int64_t needed = 0;
};
SeedsNeeded seeds_needed(const RunPlan& plan, const std::vector<RunRow>& rows,
                         const RunResults& results);

/// Adds to the notes how well each goal's metric is known.
void note_precision(const RunPlan& plan, const std::vector<RunRow>& rows, RunResults& results);

/// Says of each row that shows no steady state that its figures tell of the length of the run and
/// not of the system.
void note_instability(const std::vector<RunRow>& rows, RunResults& results);

}  // namespace tokenyard
