#pragma once

#include <span>
#include <string>
#include <string_view>

#include "experiments/record/summary.hpp"

namespace tokenyard {

/// Text made safe inside HTML elements and attributes.
std::string html_escaped(std::string_view text);

/// The comparison, a row each run; the least of equal seed and rate is bold.
std::string comparison_html(std::span<const Summary> summaries);

/// Whether some series has several seeds.
bool has_several_seeds(std::span<const Summary> summaries);

/// The comparison, a row each series: means over the seeds ± half-widths of their 95 % intervals,
/// and the change of mean JCT against the first series at the same rate, paired by seed.
std::string interval_html(std::span<const Summary> summaries);

/// Every value of every run, a row each value: with many columns a page could not show them
/// otherwise.
std::string all_numbers_html(std::span<const Summary> summaries);

}  // namespace tokenyard
