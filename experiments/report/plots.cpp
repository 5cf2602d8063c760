#include "experiments/report/plots.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <set>

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

struct Plot {
  std::string name, title, y_label;
  bool complement = false;
};

struct Curve {
  std::string label;
  std::vector<CurvePoint> points;
};

/// Ranks (from 0, ascending) to keep: evenly spread ones, and from the largest sample downwards
/// first all, then ever fewer.
std::vector<std::size_t> kept_ranks(std::size_t count, std::size_t points_max) {
  std::set<std::size_t> ranks;
  if (count <= points_max) {
    for (std::size_t i = 0; i < count; ++i) ranks.insert(i);
  } else {
    const std::size_t half = std::max<std::size_t>(2, points_max / 2);
    for (std::size_t i = 0; i < half; ++i) ranks.insert(i * (count - 1) / (half - 1));
    // Steps from the end grow by a fifth of a percent, at least by one: that reaches any count
    // within `half` points or so.
    double from_end = 0;
    const double growth =
        std::max(1.01, std::pow(static_cast<double>(count), 2.0 / static_cast<double>(points_max)));
    while (from_end < static_cast<double>(count)) {
      ranks.insert(count - 1 - static_cast<std::size_t>(from_end));
      from_end = std::max(from_end + 1, from_end * growth);
    }
  }
  return {ranks.begin(), ranks.end()};
}

std::vector<CurvePoint> curve_points(std::vector<double> values, std::size_t points_max,
                                     bool complement) {
  std::sort(values.begin(), values.end());
  const std::size_t count = values.size();
  std::vector<CurvePoint> points;
  for (const std::size_t rank : kept_ranks(count, points_max)) {
    const std::size_t below = complement ? count - rank : rank + 1;
    points.push_back({values[rank], static_cast<double>(below) / static_cast<double>(count)});
  }
  // Of equal values only the one that counts them all.
  const auto same = [](const CurvePoint& a, const CurvePoint& b) { return a.value == b.value; };
  if (complement) {
    points.erase(std::unique(points.begin(), points.end(), same), points.end());
  } else {
    points.erase(points.begin(), std::unique(points.rbegin(), points.rend(), same).base());
  }
  return points;
}

/// A gnuplot string in single quotes, in which nothing but the quote itself (and a line break) is
/// special.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += '\'';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out + "'";
}

std::string csv_of(const std::vector<Curve>& curves) {
  std::string text = "label,jct_s,fraction\n";
  for (const Curve& curve : curves) {
    const std::string label = csv_field(curve.label);
    for (const CurvePoint& point : curve.points) {
      text += fmt::format("{},{},{}\n", label, format_number(point.value),
                          format_number(point.fraction));
    }
  }
  return text;
}

/// What the axes span: exactly the data, so that no room is lost to the next decade.
struct Span {
  double least = 0, most = 0;  ///< seconds
  double least_fraction = 1;
};

Span span_of(const std::vector<Curve>& curves) {
  Span span{curves.front().points.front().value, 0, 1};
  for (const Curve& curve : curves) {
    span.least = std::min(span.least, curve.points.front().value);
    span.most = std::max(span.most, curve.points.back().value);
    span.least_fraction = std::min(span.least_fraction, curve.points.back().fraction);
  }
  constexpr double kMargin = 1.08;
  span.least /= kMargin;
  span.most *= kMargin;
  span.least_fraction /= kMargin;
  return span;
}

/// Labelled ticks at the decades, and at 2 and 5 between them where the span is short.
std::string time_ticks(const Span& span) {
  const bool fine = span.most / span.least < 3000;
  std::string ticks;
  for (int exponent = -9; exponent <= 12; ++exponent) {
    for (const int digit : {1, 2, 5}) {
      const double at = parse_number(fmt::format("{}e{}", digit, exponent)).value_or(0);
      if ((digit != 1 && !fine) || at < span.least || at > span.most) continue;
      ticks += fmt::format("{}'{:g}' {:g}", ticks.empty() ? "" : ", ", at, at);
    }
  }
  return ticks;
}

void send_script(Gnuplot& gnuplot, const Plot& plot, const std::vector<Curve>& curves,
                 const std::string& terminal, const fs::path& file) {
  const Span span = span_of(curves);
  gnuplot << "set terminal " << terminal << "\nset output " << quoted(file.string()) << "\n"
          << "set termoption noenhanced\n"
          << "set title " << quoted(plot.title) << " font ',16'\n"
          << "set xlabel \"job completion time (s)\\n\"\nset ylabel " << quoted(plot.y_label)
          << "\n"
          << "set logscale x 10\nset mxtics 10\nset tics nomirror out\nset border 3\n"
          << fmt::format("set xrange [{:g}:{:g}]\n", span.least, span.most)
          << "set grid xtics ytics lt 1 lc rgb '#dcdcdc' lw 0.7\n"
          // Below the axes the legend cannot hide a curve.
          << "set key outside bottom center horizontal Left reverse samplen 6 spacing 1.25\n";
  if (const std::string ticks = time_ticks(span); !ticks.empty()) {
    gnuplot << "set xtics (" << ticks << ")\n";
  }
  if (plot.complement) {
    gnuplot << "set logscale y 10\nset format y '%g'\nset mytics 10\n"
            << fmt::format("set yrange [{:g}:1]\n", span.least_fraction);
  } else {
    gnuplot << "set yrange [0:1]\nset ytics 0.1\n";
  }
  gnuplot << "plot ";
  for (std::size_t i = 0; i < curves.size(); ++i) {
    // Above a point's value the complement has fallen already: its steps go down first.
    gnuplot << (i > 0 ? ", " : "") << "'-' using 1:2 with "
            << (plot.complement ? "fsteps" : "steps") << " lw 2.2 lc rgb '"
            << kColours[i % std::size(kColours)] << "' dt " << kDashes[i % std::size(kDashes)]
            << " title " << quoted(curves[i].label);
  }
  gnuplot << "\n";
  const auto send = [&](double value, double fraction) {
    gnuplot << format_number(value) << " " << format_number(fraction) << "\n";
  };
  for (const Curve& curve : curves) {
    // Both functions go on beyond the samples: 0 or 1 before the first and after the last.
    send(plot.complement ? span.least : curve.points.front().value, plot.complement ? 1 : 0);
    for (const CurvePoint& point : curve.points) send(point.value, point.fraction);
    if (!plot.complement) send(span.most, 1);
    if (plot.complement) send(curve.points.back().value, span.least_fraction);
    gnuplot << "e\n";
  }
  gnuplot << "unset output\n";
}

/// Written under a temporary name first: gnuplot leaves broken files when it fails.
void draw(const fs::path& folder, const Plot& plot, const std::vector<Curve>& curves,
          const std::string& ending, const std::string& terminal) {
  const fs::path file = folder / (plot.name + ending);
  const fs::path partial = folder / fmt::format(".{}{}.partial-{}", plot.name, ending, ::getpid());
  {
    Gnuplot gnuplot;
    send_script(gnuplot, plot, curves, terminal, partial);
  }  // its destructor waits for gnuplot's end
  std::error_code error;
  const auto size = fs::file_size(partial, error);
  if (error || size == 0) {
    fs::remove(partial, error);
    throw InputError(file.string(), 0, "", "gnuplot did not draw it (its message is above)");
  }
  fs::rename(partial, file, error);
  if (error) throw InputError(file.string(), 0, "", "cannot be written: " + error.message());
}

}  // namespace

std::vector<CurvePoint> cdf_points(std::vector<double> values, std::size_t points_max) {
  return curve_points(std::move(values), points_max, false);
}

std::vector<CurvePoint> ccdf_points(std::vector<double> values, std::size_t points_max) {
  return curve_points(std::move(values), points_max, true);
}

bool gnuplot_available() {
  const char* path = std::getenv("PATH");
  if (path == nullptr) return false;
  for (const auto folder : split(path, ':')) {
    if (::access((std::string(folder) + "/gnuplot").c_str(), X_OK) == 0) return true;
  }
  return false;
}

std::vector<std::string> draw_jct_plots(const fs::path& folder,
                                        const std::vector<PlotSamples>& samples) {
  if (!gnuplot_available()) {
    throw InputError("gnuplot", 0, "", "not found; plots need it (Debian: gnuplot-nox)");
  }
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw InputError(folder.string(), 0, "", "cannot be created: " + error.message());

  const Plot plots[] = {{"jct_cdf", "Job completion time: distribution (CDF)",
                         "fraction of requests within this time", false},
                        {"jct_ccdf", "Job completion time: tail (CCDF)",
                         "fraction of requests at or above this time", true}};
  std::vector<std::string> names;
  for (const Plot& plot : plots) {
    std::vector<Curve> curves;
    for (const PlotSamples& sample : samples) {
      std::vector<double> values = sample.values;
      std::erase_if(values, [](double value) { return !(value > 0); });
      if (values.empty()) continue;
      curves.push_back({sample.label, curve_points(std::move(values), 2000, plot.complement)});
    }
    if (curves.empty()) return names;
    write_text_file(folder / (plot.name + ".csv"), csv_of(curves));
    draw(folder, plot, curves, ".png",
         fmt::format("pngcairo size 1100,{} font 'DejaVu Sans,13' background '#ffffff'",
                     640 + 26 * curves.size()));
    draw(folder, plot, curves, ".svg",
         fmt::format(
             "svg size 880,{} dynamic dashlength 0.55 font 'DejaVu Sans,13' background '#ffffff' "
             "name '{}'",
             510 + 22 * curves.size(), plot.name));
    names.push_back(plot.name);
  }
  return names;
}

}  // namespace tokenyard
