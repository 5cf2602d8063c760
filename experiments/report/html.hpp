#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "experiments/report/result_reader.hpp"

namespace tokenyard {

/// Text made safe inside HTML elements and attributes.
std::string html_escaped(std::string_view text);

/// A drawing for the page: its base name and the text of its .svg.
using Drawing = std::pair<std::string, std::string>;

/// One HTML page that needs nothing else: no network, no script, drawings inside. It shows the
/// comparison, the drawings, every number of summary.csv and the settings of run.json.
std::string html_page(std::string_view title, const ResultFiles& files,
                      const std::vector<Drawing>& drawings);

}  // namespace tokenyard
