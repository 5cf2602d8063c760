#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "experiments/record/summary.hpp"

namespace tokenyard {

/// The comparison that people read on a terminal: one row per summary, in order; JCT, TTFT and
/// normalized latency in seconds or milliseconds as suits each group, throughput, preemptions, and
/// each mean JCT over the first row's. No line is wider than `width_max` (at least 100), however
/// long a label is: labels continue on further lines. Clairvoyant rows are marked '*' and
/// explained below; what does not exist is '-'. Rejected requests get a column when there are any.
std::string comparison_table(std::span<const Summary> summaries, std::size_t width_max = 120);

/// The same for the cells of a sweep, whose labels are long: fewer times, and swaps. The ratio is
/// to the first cell of the same rate and seed.
std::string sweep_table(std::span<const Summary> summaries, std::size_t width_max = 120);

}  // namespace tokenyard
