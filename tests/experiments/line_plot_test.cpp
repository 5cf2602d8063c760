#include "experiments/report/line_plot.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "experiments/report/gnuplot.hpp"
#include "experiments/report/rate_plot.hpp"
#include "experiments/report/size_plots.hpp"
#include "experiments/report/time_plots.hpp"
#include "tests/experiments/made_up.hpp"

namespace tokenyard {
namespace {

using made_up::contents;
using testing::HasSubstr;
using testing::Not;

// Would catch: bars below zero on a log axis, labels that break the script, points of zero on a log
// axis, and a missing file.
TEST(LinePlot, DrawsEveryFile) {
  if (!gnuplot_available()) GTEST_SKIP() << "gnuplot is not installed";
  const made_up::ScratchFolder scratch;
  const std::vector<Line> lines = {{"it's mlfq:ratio=2,x_{y}", {{1, 0.1, 0.3}, {2, 3, 1}}},
                                   {"one point", {{1.5, 0.2, {}}}},
                                   {"zero", {{1, 0, {}}}}};
  EXPECT_TRUE(draw_lines(scratch.path(), latency_rate_plot(), lines));
  EXPECT_EQ(contents(scratch.path() / "latency_vs_rate.png").substr(1, 3), "PNG");
  EXPECT_EQ(contents(scratch.path() / "latency_vs_rate.pdf").substr(1, 3), "PDF");
  const std::string svg = contents(scratch.path() / "latency_vs_rate.svg");
  EXPECT_THAT(svg, HasSubstr("</svg>"));
  EXPECT_THAT(svg, HasSubstr("it's mlfq:ratio=2,x_{y}"));
  EXPECT_THAT(svg, Not(HasSubstr("zero")));
  EXPECT_EQ(contents(scratch.path() / "latency_vs_rate.csv"),
            "label,request_rate,mean_normalized_latency_s,"
            "mean_normalized_latency_s_ci95_half_width\n"
            "\"it's mlfq:ratio=2,x_{y}\",1,0.1,0.3\n\"it's mlfq:ratio=2,x_{y}\",2,3,1\n"
            "one point,1.5,0.2,\n");
}

// Would catch: an axis that goes below zero for what cannot, because an interval does.
TEST(LinePlot, EndsBarsAtTheAxis) {
  if (!gnuplot_available()) GTEST_SKIP() << "gnuplot is not installed";
  const made_up::ScratchFolder scratch;
  EXPECT_TRUE(
      draw_lines(scratch.path(), throughput_rate_plot(), {{"x", {{1, 0.6, 1.6}, {2, 0.1, 0.1}}}}));
  const std::string svg = contents(scratch.path() / "throughput_vs_rate.svg");
  EXPECT_THAT(svg, HasSubstr("0.5<"));
  EXPECT_THAT(svg, Not(HasSubstr("-0.5<")));
}

// Would catch: names of tenants that are lost, and points that gnuplot cannot place.
TEST(LinePlot, NamesInsteadOfNumbers) {
  if (!gnuplot_available()) GTEST_SKIP() << "gnuplot is not installed";
  const made_up::ScratchFolder scratch;
  const std::vector<Line> lines = {{"fcfs", {{0, 2, {}}, {1, 3, {}}}}};
  EXPECT_TRUE(draw_lines(scratch.path(), fairness_by_tenant_plot({"it's, me", ""}), lines));
  EXPECT_EQ(contents(scratch.path() / "fairness_by_tenant.csv"),
            "label,tenant,mean_stretch,mean_stretch_ci95_half_width\nfcfs,\"it's, me\",2,\n"
            "fcfs,(none),3,\n");
  EXPECT_THAT(contents(scratch.path() / "fairness_by_tenant.svg"), HasSubstr("it's, me"));
}

// Would catch: empty plots, which gnuplot draws as an error.
TEST(LinePlot, WithoutPointsThereIsNone) {
  EXPECT_FALSE(draw_lines("/nowhere", latency_rate_plot(), {{"x", {}}, {"y", {{1, 0, {}}}}}));
}

// Would catch: bands that are stacked in the wrong order or not summed.
TEST(LinePlot, StacksLevels) {
  if (!gnuplot_available()) GTEST_SKIP() << "gnuplot is not installed";
  const made_up::ScratchFolder scratch;
  const TimeBins bins{4, 2};
  draw_levels(scratch.path(), "levels", "mlfq", {{1, 0}, {2, 3}}, bins);
  EXPECT_EQ(contents(scratch.path() / "levels.csv"),
            "label,start_s,level,requests\nmlfq,0,0,1\nmlfq,0,1,2\nmlfq,2,0,0\nmlfq,2,1,3\n");
  EXPECT_THAT(contents(scratch.path() / "levels.svg"), HasSubstr("level 1"));
  EXPECT_EQ(contents(scratch.path() / "levels.pdf").substr(1, 3), "PDF");
}

}  // namespace
}  // namespace tokenyard
