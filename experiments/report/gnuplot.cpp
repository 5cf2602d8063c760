#include "experiments/report/gnuplot.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

// The header is made for older compilers; its warnings are not ours.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wpedantic"
#include <gnuplot-iostream.h>
#pragma GCC diagnostic pop

#include "experiments/record/result_folder.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace fs = std::filesystem;

namespace {

/// The colours of Okabe and Ito ("Color Universal Design", 2008), which people with any kind of
/// colour vision tell apart; without its yellow, which is too faint on paper.
constexpr const char* kColours[] = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                    "#E69F00", "#56B4E9", "#000000"};
/// Dashes differ as well, for print without colours.
constexpr const char* kDashes[] = {"1", "(22,8)", "(7,7)", "(22,8,7,8)", "(40,12)"};

/// Cairo writes the time of day into a PDF; equal results shall give equal bytes.
void forget_date(const fs::path& file) {
  constexpr std::string_view kBefore = "/CreationDate (D:", kNever = "19700101000000";
  std::fstream pdf(file, std::ios::in | std::ios::out | std::ios::binary);
  std::ostringstream text;
  text << pdf.rdbuf();
  const std::size_t at = text.view().find(kBefore);
  if (at == std::string_view::npos) return;
  pdf.seekp(static_cast<std::streamoff>(at + kBefore.size()));
  pdf << kNever;
}

/// Written under a temporary name first: gnuplot leaves broken files when it fails.
void draw(const fs::path& folder, const PlotScript& plot, const std::string& ending,
          const std::string& terminal) {
  const fs::path file = folder / (plot.name + ending);
  const fs::path partial = folder / fmt::format(".{}{}.partial-{}", plot.name, ending, ::getpid());
  {
    Gnuplot gnuplot;
    gnuplot << "set terminal " << terminal << "\nset output " << gnuplot_quoted(partial.string())
            << "\nset termoption noenhanced\n"
            << "set title " << gnuplot_quoted(plot.title) << " font ',16'\n"
            << "set tics nomirror out\nset border 3\n"
            << "set grid xtics ytics lt 1 lc rgb '#dcdcdc' lw 0.7\n"
            // Below the axes the legend cannot hide a curve.
            << "set key outside bottom center horizontal Left reverse samplen 6 spacing 1.25\n"
            << plot.script << "unset output\n";
  }  // its destructor waits for gnuplot's end
  std::error_code error;
  const auto size = fs::file_size(partial, error);
  if (error || size == 0) {
    fs::remove(partial, error);
    throw InputError(file.string(), 0, "", "gnuplot did not draw it (its message is above)");
  }
  if (ending == ".pdf") forget_date(partial);
  fs::rename(partial, file, error);
  if (error) throw InputError(file.string(), 0, "", "cannot be written: " + error.message());
}

}  // namespace

bool gnuplot_available() {
  const char* path = std::getenv("PATH");
  if (path == nullptr) return false;
  for (const auto folder : split(path, ':')) {
    if (::access((std::string(folder) + "/gnuplot").c_str(), X_OK) == 0) return true;
  }
  return false;
}

std::string gnuplot_quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += '\'';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out + "'";
}

std::string curve_colour(std::size_t number) {
  return fmt::format("lc rgb '{}'", kColours[number % std::size(kColours)]);
}

std::string curve_style(std::size_t number) {
  return fmt::format("lw 2.2 {} dt {}", curve_colour(number), kDashes[number % std::size(kDashes)]);
}

std::string log_ticks(double least, double most) {
  const bool fine = most / least < 3000;
  std::string ticks;
  for (int exponent = -9; exponent <= 12; ++exponent) {
    for (const int digit : {1, 2, 5}) {
      const double at = parse_number(fmt::format("{}e{}", digit, exponent)).value_or(0);
      if ((digit != 1 && !fine) || at < least || at > most) continue;
      ticks += fmt::format("{}'{:g}' {:g}", ticks.empty() ? "" : ", ", at, at);
    }
  }
  return ticks;
}

void draw_plot(const fs::path& folder, const PlotScript& plot, const std::string& data) {
  if (!gnuplot_available()) {
    throw InputError("gnuplot", 0, "", "not found; plots need it (Debian: gnuplot-nox)");
  }
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw InputError(folder.string(), 0, "", "cannot be created: " + error.message());
  write_text_file(folder / (plot.name + ".csv"), data);
  draw(folder, plot, ".png",
       fmt::format("pngcairo size 1100,{} font 'DejaVu Sans,13' background '#ffffff'",
                   640 + 26 * plot.curves));
  draw(folder, plot, ".svg",
       fmt::format("svg size 880,{} dynamic dashlength 0.55 font 'DejaVu Sans,13' background "
                   "'#ffffff' name '{}'",
                   510 + 22 * plot.curves, plot.name));
  draw(folder, plot, ".pdf",
       fmt::format("pdfcairo size 8in,{:.2f}in font 'DejaVu Sans,11' background '#ffffff'",
                   4.6 + 0.2 * static_cast<double>(plot.curves)));
}

}  // namespace tokenyard
