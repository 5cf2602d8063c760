#pragma once

#include <string>
#include <vector>

#include "traces/lengths.hpp"

namespace tokenyard {

/// The lengths in a file: of any readable trace, or of one that has no arrivals (Vidur's files of
/// lengths, older results of vLLM's benchmark). Rows with a length of zero are left out. Throws
/// `InputError`.
std::vector<Lengths> read_lengths(const std::string& path);

}  // namespace tokenyard
