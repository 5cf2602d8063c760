#pragma once

#include <cstdint>
#include <vector>

namespace tokenyard {

/// Sorts words by their bits from `low_bit` on, ascending and stably: digit by digit, skipping
/// digits that all words share, so that many words of a narrow range take linear time. `scratch`
/// is working space; it is as large as `words` afterwards and its content is unspecified.
void radix_sort(std::vector<std::uint64_t>& words, std::vector<std::uint64_t>& scratch,
                int low_bit = 0);

}  // namespace tokenyard
