#include "experiments/sweep/sweep.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "experiments/report/gnuplot.hpp"
#include "experiments/report/rate_plot.hpp"
#include "experiments/report/table.hpp"
#include "tests/experiments/made_up.hpp"

namespace tokenyard {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// A cell's summary: one request of ten tokens that took `jct` ms.
Summary cell_of(const std::string& series, double rate, std::uint64_t seed, std::int64_t jct) {
  Recorder recorder;
  recorder.ended(made_up::finished(0, 0, 0, jct / 2, jct - jct / 2, 10));
  recorder.finish();
  SummaryKey key{series + " seed=" + std::to_string(seed), series, "fcfs", "", seed, false};
  key.request_rate = rate;
  return summarize(key, recorder);
}

std::vector<SweepCell> named_cells(const std::vector<std::string>& labels) {
  std::vector<SweepCell> cells;
  for (const std::string& label : labels) {
    cells.emplace_back().name = RunName{label, label, label};
  }
  return cells;
}

// Would catch: hundreds of lines that say the same, and a note that is lost or loses its cell.
TEST(Sweep, GathersNotes) {
  const auto cells = named_cells({"a", "a b", "c"});
  EXPECT_THAT(gathered_notes(cells, {"a: same", "a: alone", "a b: same", "c: same", "c: two",
                                     "a b: two", "general"}),
              ElementsAre("every cell: same", "a: alone", "c and 1 more: two", "general"));
}

// Would catch: curves mixed up, seeds not pooled, rates out of order. By hand: 200 and 400 ms for
// ten tokens are 20 and 40 ms a token, 30 ms in the mean; t(1, 0.975) = 12.706 times 10 ms.
TEST(RatePlot, PoolsSeedsByRate) {
  const Summary rows[] = {
      cell_of("x rate=2", 2, 1, 200),     cell_of("x rate=2", 2, 2, 400),
      cell_of("x rate=0.5", 0.5, 1, 100), cell_of("x rate=0.5", 0.5, 2, 100),
      cell_of("y rate=2", 2, 1, 1000),
  };
  const auto curves = rate_curves(rows);
  ASSERT_EQ(curves.size(), 2U);
  EXPECT_EQ(curves[0].label, "x");
  ASSERT_EQ(curves[0].points.size(), 2U);
  EXPECT_EQ(curves[0].points[0].rate, 0.5);
  EXPECT_DOUBLE_EQ(*curves[0].points[0].latency.mean, 0.01);
  EXPECT_DOUBLE_EQ(*curves[0].points[1].latency.mean, 0.03);
  EXPECT_NEAR(*curves[0].points[1].latency.half_width, 0.12706, 1e-5);
  EXPECT_EQ(curves[1].label, "y");
  EXPECT_FALSE(curves[1].points[0].latency.half_width);
}

// Would catch: a plot of a single rate, which would be dots on a line.
TEST(RatePlot, NeedsTwoRates) {
  const Summary rows[] = {cell_of("x", 2, 1, 200), cell_of("y", 2, 1, 300)};
  EXPECT_TRUE(rate_curves(rows).empty());
  EXPECT_TRUE(draw_rate_plot("/nowhere", {}).empty());
}

// Would catch: bars below zero on a log axis, and labels that break the script.
TEST(RatePlot, DrawsEveryFile) {
  if (!gnuplot_available()) GTEST_SKIP() << "gnuplot is not installed";
  const made_up::ScratchFolder scratch;
  const std::vector<RateCurve> curves = {
      {"it's mlfq:ratio=2,x_{y}", {{1, {0.1, 0.3}}, {2, {3, 1}}}},
      {"one point", {{1.5, {0.2, {}}}}}};
  EXPECT_THAT(draw_rate_plot(scratch.path(), curves), ElementsAre("latency_vs_rate"));
  EXPECT_EQ(made_up::contents(scratch.path() / "latency_vs_rate.png").substr(1, 3), "PNG");
  const std::string svg = made_up::contents(scratch.path() / "latency_vs_rate.svg");
  EXPECT_THAT(svg, HasSubstr("</svg>"));
  EXPECT_THAT(svg, HasSubstr("it's mlfq:ratio=2,x_{y}"));
  EXPECT_EQ(made_up::contents(scratch.path() / "latency_vs_rate.csv"),
            "label,request_rate,mean_normalized_latency_s,"
            "mean_normalized_latency_s_ci95_half_width\n"
            "\"it's mlfq:ratio=2,x_{y}\",1,0.1,0.3\n\"it's mlfq:ratio=2,x_{y}\",2,3,1\n"
            "one point,1.5,0.2,\n");
}

// Would catch: a ratio to a cell of another rate or seed, and lines too wide for a terminal.
TEST(SweepTable, ComparesAtTheSameRate) {
  const Summary rows[] = {
      cell_of("x rate=1", 1, 1, 1000), cell_of("x rate=2", 2, 1, 8000),
      cell_of("a-rather-long-policy:key=value,key=value,key=value rate=2", 2, 1, 4000)};
  const std::string table = sweep_table(rows);
  EXPECT_THAT(table, HasSubstr(" swapped "));
  EXPECT_THAT(table, HasSubstr(" 0.500x\n"));
  EXPECT_THAT(table, testing::Not(HasSubstr(" 8.000x\n")));
  std::size_t begin = 0;
  for (std::size_t end = table.find('\n'); end != std::string::npos;
       begin = end + 1, end = table.find('\n', begin)) {
    EXPECT_LE(end - begin, 120U);
  }
}

}  // namespace
}  // namespace tokenyard
