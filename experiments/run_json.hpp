#pragma once

#include <string>
#include <vector>

#include "experiments/compose.hpp"
#include "experiments/run.hpp"
#include "traces/trace.hpp"

namespace tokenyard {

/// A policy under a system, resolved: a row of the comparison, run once a seed.
struct RunRow {
  std::string series;  ///< its label without a seed
  std::string policy;
  std::string system;  ///< empty: none
  Machine machine;
};

/// What run.json says of a trace.
struct TraceFacts {
  std::string digest;
  std::size_t requests = 0;
  TraceCounts counts;
};

/// The text of run.json: with the trace it names, enough to run again byte for byte. Holds nothing
/// that two equal runs could differ in.
std::string run_json(const RunPlan& plan, const std::vector<RunRow>& rows,
                     const std::vector<TraceFacts>& traces, const RunResults& results);

/// The machine-readable output of `run --json` and `sweep --json`.
std::string results_json(const RunResults& results);

/// This program's version.
std::string version();

}  // namespace tokenyard
