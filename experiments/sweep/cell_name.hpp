#pragma once

#include <string>
#include <string_view>

#include "experiments/run.hpp"
#include "experiments/run_json.hpp"

namespace tokenyard {

/// What a cell is called in the folder of a sweep: 16 hex digits over all that its result depends
/// on: the resolved settings, policy, system and seed, the contents of its cost file and weights,
/// the requests of its trace (`digest_of`, not its path), what is written of it, and the program
/// (`program_digest`). Equal names are equal results. `row` is the plan's only one.
std::string cell_name(const RunPlan& plan, const RunRow& row, std::string_view trace_digest);

/// The digest of a trace's requests; one that is read along is read through once.
std::string requests_digest(const RunTrace& trace);

}  // namespace tokenyard
