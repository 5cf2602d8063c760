#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sim/kernel/strict_json.hpp"
#include "traces/trace.hpp"

namespace tokenyard {

/// The most requests that one workload may have.
inline constexpr std::int64_t kMostRequests = 100'000'000;

/// A workload that is drawn: the options of `trace generate`.
struct WorkloadPlan {
  std::int64_t requests = 0;  ///< 1 … kMostRequests
  std::string arrivals;       ///< see `make_arrivals`
  std::string lengths;        ///< see `make_lengths`
  /// A plan file's own seed, for commands that are given none.
  std::optional<std::uint64_t> seed;
};

/// Whether what is given as a trace is a workload plan: the text of one, which begins with '{', or
/// a path that ends in .json to a file that holds no array (some data sets are arrays in a .json
/// file).
bool is_workload_plan(const std::string& trace);

/// The JSON of a plan, from its text or its file. Throws `InputError`.
JsonObject open_workload_plan(const std::string& trace);

/// A plan from its JSON: {"requests":4000,"arrivals":"poisson:rate=3.6","lengths":"sharegpt-like"}.
/// Strict; the specs are checked too. Throws `InputError`.
WorkloadPlan workload_plan(const JsonObject& json);

/// The same from its text or its file.
WorkloadPlan read_workload_plan(const std::string& trace);

/// Draws the workload. The same plan and seed give the same trace; a request depends on the seed
/// and its own number alone, so that a longer plan only appends. The gaps are rounded to whole
/// nanoseconds each. Throws `InputError`.
Trace generate(const WorkloadPlan& plan, std::uint64_t seed);

}  // namespace tokenyard
