#pragma once

#include <string>

#include "experiments/capacity/capacity.hpp"
#include "experiments/record/result_folder.hpp"

namespace tokenyard {

/// The answers as people read them: one row a policy.
std::string capacity_table(const CapacityPlan& plan, const Capacities& capacities);

/// The machine-readable output of `capacity --json`.
std::string capacity_json(const CapacityPlan& plan, const Capacities& capacities);

/// Writes capacity.csv (one row a policy), points.csv (one row a measured rate and rule),
/// summary.csv (one row a run, as a sweep has it) and run.json. The caller commits the folder.
void write_capacity(const CapacityPlan& plan, const Capacities& capacities,
                    const ResultFolder& folder);

}  // namespace tokenyard
