#pragma once

#include <string>
#include <vector>

namespace tokenyard {

/// `tokenyard profile`: measures the engine, or imports published measurements, and writes a cost
/// model file. Returns the exit status; throws `InputError`.
int run_profile_command(const std::vector<std::string>& arguments);

}  // namespace tokenyard
