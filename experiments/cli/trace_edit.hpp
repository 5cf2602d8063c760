#pragma once
// The commands of `tokenyard trace` that make a trace of others.

#include <span>
#include <string>

namespace tokenyard {

/// `tokenyard trace slice`, `superpose` and `resample`. Each returns the exit status and throws
/// `InputError`.
int run_trace_slice(std::span<const std::string> args);
int run_trace_superpose(std::span<const std::string> args);
int run_trace_resample(std::span<const std::string> args);

}  // namespace tokenyard
