#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "experiments/settings.hpp"

namespace tokenyard {

/// A named set of options.
struct SweepVariant {
  std::string name;                   ///< empty: the plan names no variants
  std::vector<GivenSetting> options;  ///< the plan's own with the variant's laid over them
  std::string trace;  ///< a path from the current folder, or the text of a workload plan
};

/// What a sweep runs: the product of its axes. A value type.
struct SweepPlan {
  std::string path;
  std::string text;                    ///< the file as it was read
  std::vector<SweepVariant> variants;  ///< at least one
  std::vector<std::string> systems;    ///< empty: none
  std::vector<std::string> policies;   ///< empty: each system's own
  std::vector<double> request_rates;   ///< requests/s; empty: as the trace and the options have it
  std::vector<std::int64_t> requests;  ///< the first so many, at each rate; empty: all
  std::vector<std::uint64_t> seeds;    ///< empty: the plan's own, or 1
};

/// Reads and checks a plan, strictly: `InputError` names file, line and field. The trace and a cost
/// model file are looked for in the plan's folder first, then in the current one.
SweepPlan read_sweep_plan(const std::string& path);

}  // namespace tokenyard
