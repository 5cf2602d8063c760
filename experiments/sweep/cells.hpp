#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "experiments/run.hpp"
#include "experiments/sweep/sweep_plan.hpp"

namespace tokenyard {

/// One cell of a sweep: a plan of exactly one run, with its place on the axes and its name, which
/// the run itself does not know. A value type: it can be carried out anywhere, alone.
struct SweepCell {
  RunName name;
  std::string variant;                 ///< empty: the plan names no variants
  std::optional<double> request_rate;  ///< requests/s, from the axis or the options
  RunPlan run;
};

/// All cells: variants x systems x policies x rates x seeds, the first slowest. A label names what
/// varies ("reactive mlfq@vllm rate=2 seed=1"). `limit` wins over the plan's. Every cell is checked
/// as `run` would check it before it reads the trace: throws `InputError` with the plan and the
/// cell.
std::vector<SweepCell> cells_of(const SweepPlan& plan, std::optional<std::int64_t> limit);

}  // namespace tokenyard
