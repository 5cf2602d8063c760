#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "experiments/report/published.hpp"
#include "experiments/report/request_samples.hpp"
#include "experiments/report/result_reader.hpp"

namespace tokenyard {

/// A plot that was drawn: the base name of its files, and a sentence on how to read it.
struct Figure {
  std::string name;
  std::string caption;
};

/// Draws what a folder's files allow into `plots`: of a sweep over rates, latency, throughput and
/// (where summaries have it) goodput against the rate, latency beside what was published; otherwise
/// the distribution of JCT, JCT by size, fairness, and the state of the server over time, of each
/// group's first run. Plots without a point are left out. Throws as `draw_plot` and for files that
/// are not as `run` writes them.
std::vector<Figure> draw_figures(const std::filesystem::path& plots, const ResultFiles& files,
                                 const std::vector<RequestGroup>& groups,
                                 const Published& published = {});

}  // namespace tokenyard
