#pragma once

#include <string>
#include <vector>

#include "traces/lengths.hpp"

namespace tokenyard {

/// The lengths in a file: any readable trace, or a CSV with the columns num_prefill_tokens and
/// num_decode_tokens (Vidur's files of lengths; num_total_tokens and pd_ratio are derived and
/// ignored). Rows with a length of zero are left out. Throws `InputError`.
std::vector<Lengths> read_lengths(const std::string& path);

}  // namespace tokenyard
