#pragma once

#include <span>
#include <string>

namespace tokenyard {

/// `trace stats TRACE`: what a workload is like. The exit status.
int run_trace_stats(std::span<const std::string> args);

/// `trace check TRACE`: every fault of a trace file with its line; 1 where there is one.
int run_trace_check(std::span<const std::string> args);

}  // namespace tokenyard
