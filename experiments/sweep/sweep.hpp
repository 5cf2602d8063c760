#pragma once

#include <string>
#include <vector>

#include "experiments/record/result_folder.hpp"
#include "experiments/run.hpp"
#include "experiments/sweep/cells.hpp"

namespace tokenyard {

/// Carries the cells out in order and writes the sweep's files into `folder` (the caller commits
/// it): summary.csv, run.json, plan.json, with several seeds summary_ci.csv, and with `keep_cells`
/// each cell's own folder. The results are in the order of the cells. Throws `InputError`.
RunResults run_sweep(const SweepPlan& plan, const std::vector<SweepCell>& cells, bool keep_cells,
                     bool quiet, const ResultFolder& folder);

/// The text of a sweep's summary.csv: the axes (variant,system,policy,request_rate,seed), then the
/// columns of a run's summary.csv that are not among them.
std::string sweep_csv(const std::vector<Summary>& summaries);

/// Notes "CELL: what a reader must know", one line for each that differs, with the cells counted.
std::vector<std::string> gathered_notes(const std::vector<SweepCell>& cells,
                                        const std::vector<std::string>& notes);

}  // namespace tokenyard
