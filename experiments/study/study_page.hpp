#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "experiments/record/summary.hpp"
#include "experiments/study/study.hpp"

namespace tokenyard {

/// A sweep of a study that has been carried out.
struct StudySweep {
  std::string plan;                ///< its file, as the study names it
  std::string text;                ///< the plan as it was read
  std::vector<Summary> summaries;  ///< its rows
  std::vector<std::string> notes;  ///< what a reader of its results must know
};

/// Draws the figures of a study into `folder`/plots and writes `folder`/report.html, one page that
/// needs nothing else: what was published and what the sweeps give on the same axes, the rates at
/// each figure's bound, their ratios, and the plans. `sweeps` has every plan that `figures` name.
/// Returns the files written, relative to `folder`. Throws `InputError`.
std::vector<std::string> write_study_page(const std::filesystem::path& folder, const Study& study,
                                          const std::vector<StudyFigure>& figures,
                                          const std::vector<StudySweep>& sweeps);

}  // namespace tokenyard
