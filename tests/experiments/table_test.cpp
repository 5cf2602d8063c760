#include "experiments/report/table.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "tests/experiments/made_up.hpp"

namespace tokenyard {
namespace {

using made_up::finished;

Summary summary_of(const std::string& label, std::int64_t scale, bool clairvoyant = false,
                   bool with_rejected = false) {
  Recorder recorder;
  for (std::uint32_t id = 0; id < 10; ++id) {
    recorder.ended(finished(id, 100 * id, 10 * scale * id, 20 * scale, 300 * scale, 30));
  }
  if (with_rejected) recorder.ended(made_up::rejected(10, 5));
  recorder.finish();
  return summarize({label, label, label, "vllm", 1, clairvoyant}, recorder);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// Catches columns out of line: every head ends where the numbers below it end.
TEST(Table, AlignsNumbersUnderTheirHeads) {
  const Summary rows[] = {summary_of("fcfs", 10), summary_of("srpt", 1, true)};
  const auto lines = lines_of(comparison_table(rows));
  ASSERT_EQ(lines.size(), 5u);
  const auto ends = [](const std::string& line) {
    std::vector<std::size_t> places;
    for (std::size_t i = 8; i < line.size(); ++i) {
      if (line[i] != ' ' && (i + 1 == line.size() || line[i + 1] == ' ')) places.push_back(i);
    }
    return places;
  };
  EXPECT_EQ(ends(lines[2]), ends(lines[3]));
  EXPECT_EQ(lines[1].size(), lines[2].size());
  EXPECT_EQ(lines[4], "* clairvoyant: it used knowledge of the true output lengths");
  EXPECT_EQ(lines[3].substr(0, 6), "srpt *");
}

// Catches a wrong ratio or unit. By hand: mean JCT of the first 10 x (45 + 20 + 300) ms = 3.65 s.
TEST(Table, ShowsMeansAndTheRatioToTheFirstRow) {
  const Summary rows[] = {summary_of("fcfs", 10), summary_of("srpt", 1)};
  const std::string text = comparison_table(rows);
  EXPECT_NE(text.find("JCT (s)"), std::string::npos) << text;
  EXPECT_NE(text.find(" 3.650 "), std::string::npos) << text;
  EXPECT_NE(text.find(" 1.000x"), std::string::npos) << text;
  EXPECT_NE(text.find(" 0.100x"), std::string::npos) << text;
  EXPECT_EQ(text.find("rejected"), std::string::npos);
  EXPECT_EQ(text.find("clairvoyant"), std::string::npos);
}

// Catches sub-second results printed as 0.000 s.
TEST(Table, PicksMilliseconds) {
  const Summary rows[] = {summary_of("fcfs", 1)};
  EXPECT_NE(comparison_table(rows).find("JCT (ms)"), std::string::npos);
}

// Catches lines too wide for a terminal, and labels cut off: put together, nothing is missing.
TEST(Table, WrapsLongLabels) {
  const std::string label =
      "skip-join-mlfq:base_quantum_ms=30,ratio=2,levels=8,promote_after_ms=300 fastserve seed=12";
  const Summary rows[] = {summary_of("fcfs", 10000, false, true), summary_of(label, 10000, true)};
  std::string joined;
  const auto lines = lines_of(comparison_table(rows));
  for (const auto& line : lines) EXPECT_LE(line.size(), 120u) << line;
  for (std::size_t i = 3; i + 1 < lines.size(); ++i) {
    joined += i == 3 ? lines[i].substr(0, lines[i].find("  ")) : lines[i];
  }
  std::erase(joined, ' ');
  std::string expected = label + "*";
  std::erase(expected, ' ');
  EXPECT_EQ(joined, expected);
  EXPECT_NE(lines[1].find("rejected"), std::string::npos);
}

// Catches NaN text where nothing completed.
TEST(Table, DashesWhatDoesNotExist) {
  Recorder recorder;
  recorder.ended(made_up::rejected(0, 0));
  recorder.finish();
  const Summary rows[] = {summarize({"x", "x", "x", "", 1, false}, recorder)};
  const std::string text = comparison_table(rows);
  EXPECT_EQ(text.find("nan"), std::string::npos);
  EXPECT_NE(text.find(" - "), std::string::npos);
}

}  // namespace
}  // namespace tokenyard
