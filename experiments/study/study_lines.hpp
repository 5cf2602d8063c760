#pragma once

#include <span>
#include <string>
#include <vector>

#include "experiments/record/summary.hpp"
#include "experiments/study/seeded_line.hpp"
#include "experiments/study/study.hpp"

namespace tokenyard {

/// The lines of a figure for one metric, out of the rows of its sweeps, named and ordered as it
/// says. A row without the metric is no point. Throws `InputError` where the figure names a line
/// that is not there (the message lists those that are), two rows are one point, or a variant's
/// name gives no number for the x axis.
std::vector<SeededLine> study_lines(const StudyFigure& figure, std::span<const Summary> rows,
                                    const std::string& metric);

}  // namespace tokenyard
