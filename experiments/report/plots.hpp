#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace tokenyard {

/// The samples behind one curve.
struct PlotSamples {
  std::string label;
  std::vector<double> values;  ///< positive; any order
};

/// A point of an empirical distribution.
struct CurvePoint {
  double value = 0;
  double fraction = 0;
};

/// The empirical distribution function: at each point, the fraction of samples <= its value.
/// At most about `points_max` points; the extremes and the tail (the largest samples) are all kept.
std::vector<CurvePoint> cdf_points(std::vector<double> values, std::size_t points_max = 2000);

/// Its complement: at each point, the fraction of samples >= its value; the last is 1/n, so that a
/// log axis shows it.
std::vector<CurvePoint> ccdf_points(std::vector<double> values, std::size_t points_max = 2000);

/// Draws the distribution of job completion times into `folder` (created where missing):
/// jct_cdf (log time axis) and jct_ccdf (both axes log, for the tail), each as .png, .svg and the
/// .csv of what is drawn. Curves without a positive sample are left out; without any curve nothing
/// is written. Returns the base names written. Throws `InputError` when gnuplot is missing or fails
/// or a file cannot be written; files appear complete or not at all.
std::vector<std::string> draw_jct_plots(const std::filesystem::path& folder,
                                        const std::vector<PlotSamples>& curves);

}  // namespace tokenyard
