#pragma once

#include <span>
#include <string>

namespace tokenyard {

/// `tokenyard trace generate`. Returns the exit status; throws `InputError`.
int run_trace_generate(std::span<const std::string> args);

}  // namespace tokenyard
