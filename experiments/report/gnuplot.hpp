#pragma once
// What all plots have in common: house style, and files that appear complete or not at all.

#include <cstddef>
#include <filesystem>
#include <string>

namespace tokenyard {

/// Whether gnuplot is on the path.
bool gnuplot_available();

/// A gnuplot string in single quotes, in which nothing but the quote itself (and a line break) is
/// special.
std::string gnuplot_quoted(const std::string& text);

/// The colour of the nth curve, "lc rgb '#…'"; and its whole style: width, colour, dashes.
std::string curve_colour(std::size_t number);
std::string curve_style(std::size_t number);

/// Ticks of a log axis, for "set xtics (…)": at the decades, and at 2 and 5 between them where the
/// axis is short. Empty where none falls on it.
std::string log_ticks(double least, double most);

/// A plot: what it is called, and a gnuplot script that draws it wherever the output goes.
struct PlotScript {
  std::string name;
  std::string title;
  std::string script;
  std::size_t curves = 0;  ///< rows of the legend, which stands below the axes
};

/// Draws name.png, name.svg and name.pdf and writes `data` as name.csv into `folder` (created where
/// missing). Throws `InputError` when gnuplot is missing or fails or a file cannot be written.
void draw_plot(const std::filesystem::path& folder, const PlotScript& plot,
               const std::string& data);

}  // namespace tokenyard
