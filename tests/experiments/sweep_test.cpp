#include "experiments/sweep/sweep.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
  const auto lines =
      rate_lines(rows, [&](std::size_t i) { return rows[i].value("mean_normalized_latency_s"); });
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].label, "x");
  ASSERT_EQ(lines[0].points.size(), 2U);
  EXPECT_EQ(lines[0].points[0].x, 0.5);
  EXPECT_DOUBLE_EQ(lines[0].points[0].y, 0.01);
  EXPECT_DOUBLE_EQ(lines[0].points[1].y, 0.03);
  EXPECT_NEAR(*lines[0].points[1].half_width, 0.12706, 1e-5);
  EXPECT_EQ(lines[1].label, "y");
  EXPECT_FALSE(lines[1].points[0].half_width);
  EXPECT_EQ(rate_count(rows), 2U);
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
