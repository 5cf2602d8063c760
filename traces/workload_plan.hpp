#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sim/kernel/strict_json.hpp"

namespace tokenyard {

/// The most requests that one workload may have.
inline constexpr std::int64_t kMostRequests = 100'000'000;

/// A workload that is drawn: the options of `trace generate`, by the names of its JSON keys. A text
/// is empty where the option is not given.
struct WorkloadPlan {
  std::int64_t requests = 0;  ///< 1 … kMostRequests; 0: as many as `duration_s` has
  std::string arrivals;       ///< see `make_arrivals`
  std::string lengths;        ///< see `make_lengths`; empty: the arrivals bring them
  /// A plan file's own seed, for commands that are given none.
  std::optional<std::uint64_t> seed{};
  std::optional<double> duration_s{};  ///< no request after so many seconds
  std::string sessions{};              ///< see `make_sessions`; empty: each request is by itself
  std::string prefix{};                ///< see `RequestExtras`, as the next four
  std::string n{};
  std::string best_of{};
  std::string beam_width{};
  std::string tenants{};
  double scale_rate = 1;     ///< all times are divided by it, before `duration_s` counts
  double scale_lengths = 1;  ///< see `scaled_tokens`; a shared prefix keeps its length
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

/// The plan as JSON without the closing brace, so that keys can follow; what has its default is
/// left out.
std::string open_plan_json(const WorkloadPlan& plan);

/// The factors that `--scale-rate` and `--scale-lengths` take.
inline constexpr double kLeastScale = 1e-6;
inline constexpr double kMostScale = 1e6;

}  // namespace tokenyard
