#include "experiments/report/plots.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "experiments/report/gnuplot.hpp"
#include "sim/kernel/input_error.hpp"
#include "tests/experiments/made_up.hpp"

namespace tokenyard {
namespace {

namespace fs = std::filesystem;
using made_up::contents;
using made_up::ScratchFolder;

// Catches steps off by one and ties counted once: of 1, 2, 2, 5 three quarters are <= 2, and three
// quarters are >= 2.
TEST(Plots, DistributionPointsByHand) {
  const auto cdf = cdf_points({2, 5, 1, 2});
  ASSERT_EQ(cdf.size(), 3u);
  EXPECT_EQ(cdf[0].value, 1);
  EXPECT_EQ(cdf[0].fraction, 0.25);
  EXPECT_EQ(cdf[1].value, 2);
  EXPECT_EQ(cdf[1].fraction, 0.75);
  EXPECT_EQ(cdf[2].fraction, 1);

  const auto ccdf = ccdf_points({2, 5, 1, 2});
  ASSERT_EQ(ccdf.size(), 3u);
  EXPECT_EQ(ccdf[0].fraction, 1);
  EXPECT_EQ(ccdf[1].value, 2);
  EXPECT_EQ(ccdf[1].fraction, 0.75);
  EXPECT_EQ(ccdf[2].value, 5);
  EXPECT_EQ(ccdf[2].fraction, 0.25);
}

// Catches thinning that loses the tail (where policies differ) or an extreme, or that moves a
// point off the true curve.
TEST(Plots, ThinningKeepsTheTail) {
  constexpr int kCount = 300'000;
  std::vector<double> values;
  for (int i = 1; i <= kCount; ++i) values.push_back(i);
  const auto cdf = cdf_points(values);
  const auto ccdf = ccdf_points(values);
  EXPECT_LE(cdf.size(), 2200u);
  EXPECT_GE(cdf.size(), 1000u);
  EXPECT_EQ(cdf.front().value, 1);
  EXPECT_EQ(cdf.back().value, kCount);
  for (std::size_t i = 1; i <= 50; ++i) {
    EXPECT_EQ(ccdf[ccdf.size() - i].value, kCount + 1 - static_cast<int>(i));
  }
  for (const auto& point : cdf) EXPECT_EQ(point.fraction, point.value / kCount);
  for (const auto& point : ccdf) EXPECT_EQ(point.fraction, (kCount + 1 - point.value) / kCount);
}

// Catches plots that are missing, empty or broken by awkward labels (quotes, markup, underscores),
// samples of zero (no logarithm), and temporary files left behind.
TEST(Plots, DrawsEveryFile) {
  if (!gnuplot_available()) GTEST_SKIP() << "gnuplot is not installed";
  const ScratchFolder scratch;
  const fs::path folder = scratch.path() / "it's here" / "plots";
  const std::vector<PlotSamples> curves = {{"mlfq:ratio=2,x_{y}'s \"<b>&", {0.5, 1, 2, 40}},
                                           {"one", {3}},
                                           {"nothing", {}},
                                           {"zeros", {0, 0}}};
  const std::vector<std::string> names = {"jct_cdf", "jct_ccdf"};
  EXPECT_EQ(draw_jct_plots(folder, curves), names);
  for (const auto& name : names) {
    EXPECT_EQ(contents(folder / (name + ".png")).substr(1, 3), "PNG");
    const std::string svg = contents(folder / (name + ".svg"));
    EXPECT_NE(svg.find("</svg>"), std::string::npos);
    EXPECT_NE(svg.find("x_{y}'s \"&lt;b>&amp;"), std::string::npos);
    EXPECT_EQ(svg.find("nothing"), std::string::npos);
    EXPECT_EQ(svg.find("zeros"), std::string::npos);
  }
  EXPECT_EQ(contents(folder / "jct_ccdf.csv"),
            "label,jct_s,fraction\n"
            "\"mlfq:ratio=2,x_{y}'s \"\"<b>&\",0.5,1\n"
            "\"mlfq:ratio=2,x_{y}'s \"\"<b>&\",1,0.75\n"
            "\"mlfq:ratio=2,x_{y}'s \"\"<b>&\",2,0.5\n"
            "\"mlfq:ratio=2,x_{y}'s \"\"<b>&\",40,0.25\n"
            "one,3,1\n");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), fs::directory_iterator()), 8);
}

// Catches empty plots, which gnuplot draws as an error.
TEST(Plots, WithoutSamplesThereIsNone) {
  if (!gnuplot_available()) GTEST_SKIP() << "gnuplot is not installed";
  const ScratchFolder scratch;
  EXPECT_TRUE(draw_jct_plots(scratch.path() / "plots", {{"x", {}}}).empty());
}

// Catches a missing gnuplot that goes unnoticed: the message names the package.
TEST(Plots, SayWhenGnuplotIsMissing) {
  const std::string path = std::getenv("PATH");
  ::setenv("PATH", "/nowhere", 1);
  std::string message;
  try {
    draw_jct_plots("/tmp", {{"x", {1}}});
  } catch (const InputError& error) {
    message = error.what();
  }
  ::setenv("PATH", path.c_str(), 1);
  EXPECT_NE(message.find("gnuplot-nox"), std::string::npos);
}

}  // namespace
}  // namespace tokenyard
