// Files whose rows are not in the order of their arrivals, read along with a run.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "sim/kernel/rng.hpp"
#include "tests/traces/surveys.hpp"
#include "traces/row_order.hpp"
#include "traces/trace_stream.hpp"
#include "traces/transform.hpp"

namespace tokenyard {
namespace {

using testing::HasSubstr;

constexpr const char* kHeader = "arrival_ns,input_tokens,output_tokens,tenant,session_id\n";

/// A row each, with lengths and names by which it is known.
std::string csv(const std::vector<int>& arrivals) {
  std::string text = kHeader;
  for (std::size_t i = 0; i < arrivals.size(); ++i) {
    text += std::to_string(arrivals[i]) + "," + std::to_string(i + 1) + "," +
            std::to_string(i % 5) + ",t" + std::to_string(i % 3) + ",s" + std::to_string(i % 4) +
            "\n";
  }
  return text;
}

/// The rows 0, 1, … but that one stands so many rows behind its place.
std::vector<int> one_late(int rows, int by) {
  std::vector<int> arrivals;
  for (int i = 0; i < rows; ++i) arrivals.push_back(i);
  std::rotate(arrivals.begin() + 3, arrivals.begin() + 4, arrivals.begin() + 4 + by);
  return arrivals;
}

ReadOptions with_window(std::size_t window, std::size_t sort_bytes = 1) {
  ReadOptions options;
  options.window = window;
  options.sort_bytes = sort_bytes;
  return options;
}

/// What is read along is what is read whole.
RowOrder order_of_same(const std::string& path, const ReadOptions& options) {
  const Trace whole = read_trace(path, options);
  const TraceSurvey survey = survey_like(whole, path, options);
  TraceStream stream(path, options, survey);
  for (std::size_t id = 0; id < stream.size(); ++id) {
    stream.need(id);
    const TraceView::Place place = stream.place(id);
    EXPECT_EQ(place.table()[place.at], whole.requests[id]) << id;
    stream.forget_before(id);
  }
  EXPECT_EQ(stream.digest(), whole.digest);
  return survey.order;
}

// Would catch: a window that is one row too small or too large, at its very edge; and rows that a
// window or a temporary file changes.
TEST(UnsortedStream, AWindowSortsWhatStandsNoFartherBehind) {
  const TemporaryFolder folder;
  for (const int by : {1, 6, 7, 8, 30}) {
    const std::string path = folder.write("t.csv", csv(one_late(40, by)));
    EXPECT_EQ(order_of_same(path, with_window(7)),
              by <= 7 ? RowOrder::within_window : RowOrder::scattered)
        << by;
  }
  const std::string sorted = folder.write("t.csv", csv({0, 0, 1, 5, 5, 5}));
  EXPECT_EQ(order_of_same(sorted, with_window(1)), RowOrder::sorted);
}

// Would catch: rows of one time that change places, in the window, inside a run or between runs.
TEST(UnsortedStream, RowsOfOneTimeStayInTheirOrder) {
  const TemporaryFolder folder;
  const std::string path =
      folder.write("t.csv", csv({5, 5, 1, 5, 1, 1, 9, 5, 1, 9, 5, 0, 0, 5, 1, 9}));
  EXPECT_EQ(order_of_same(path, with_window(100)), RowOrder::within_window);
  for (const std::size_t sort_bytes : {1, 100, 200, 100'000}) {
    EXPECT_EQ(order_of_same(path, with_window(1, sort_bytes)), RowOrder::scattered);
  }
}

// Would catch: any arrangement of rows, with any window and any size of runs, that does not come
// out as reading it whole gives it, under any limit.
RC_GTEST_PROP(UnsortedStream, GivesTheTraceThatReadingGives, ()) {
  const auto arrivals = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 40));
  RC_PRE(arrivals.size() > 1U);
  ReadOptions options =
      with_window(*rc::gen::inRange<std::size_t>(1, 30), *rc::gen::inRange<std::size_t>(1, 2000));
  options.zero = *rc::gen::element(ZeroTokens::drop, ZeroTokens::clamp);
  options.trust_ids = *rc::gen::arbitrary<bool>();
  if (*rc::gen::arbitrary<bool>()) options.limit = *rc::gen::inRange(1, 50);
  const TemporaryFolder folder;
  order_of_same(folder.write("t.csv", csv(arrivals)), options);
}

// Would catch: a time that counts from the first row where the earliest is meant.
TEST(UnsortedStream, CountsFromTheEarliestRow) {
  const TemporaryFolder folder;
  std::string text = "TIMESTAMP,ContextTokens,GeneratedTokens\n";
  for (const char* second : {"47", "46", "49", "45", "48"}) {
    text += std::string("2023-11-16 18:15:") + second + ".0000000,7," + second + "\n";
  }
  const std::string path = folder.write("a.csv", text);
  EXPECT_EQ(order_of_same(path, with_window(3)), RowOrder::within_window);
  EXPECT_EQ(order_of_same(path, with_window(2)), RowOrder::scattered);
}

// Would catch: another rate, or other requests, where arrivals are scaled as they are read.
TEST(UnsortedStream, IsScaledAsItIsRead) {
  const TemporaryFolder folder;
  const std::string path = folder.write("t.csv", csv({700, 3, 250, 9, 1000, 16, 17}));
  Trace whole = read_trace(path);
  auto survey = survey_trace(path, with_window(1));
  ASSERT_TRUE(survey);
  survey->stretch =
      stretch_to_rate("t", survey->requests, survey->first_arrival, survey->last_arrival, 3.7e6);
  scale_to_rate(whole, 3.7e6);
  TraceStream stream(path, with_window(1), *survey);
  stream.need(stream.size() - 1);
  EXPECT_EQ(stream.digest(), whole.digest);
}

// Would catch: bad rows that a survey of unsorted files passes over or tells of in other words; and
// ids that are compared although they are trusted, or taken as they are where they cannot be.
TEST(UnsortedStream, RefusesWhatReadingRefuses) {
  const TemporaryFolder folder;
  const std::string header =
      "id,arrival_ns,input_tokens,output_tokens\na,9,1,1\nb,8,1,1\nc,1,1,1\n";
  for (const std::string bad : {"a,1,1,1\n", "d,1,1\n", "d,-1,1,1\n", "d,1,1,x\n"}) {
    const std::string path = folder.write("t.csv", header + bad);
    for (const std::size_t window : {1, 100}) {
      const std::string said = message_of([&] { survey_trace(path, with_window(window)); });
      EXPECT_EQ(said, message_of([&] { read_trace(path); }));
      EXPECT_THAT(said, HasSubstr("t.csv:5"));
    }
  }
  ReadOptions trusting = with_window(1);
  trusting.trust_ids = true;
  const std::string twice = folder.write("t.csv", header + "a,0,1,1\n");
  EXPECT_EQ(order_of_same(twice, trusting), RowOrder::scattered);
  const std::string odd = folder.write("t.csv", header + "a\x01,0,1,1\n");
  EXPECT_THAT(message_of([&] { survey_trace(odd, trusting); }), HasSubstr("control character"));
}

// Would catch: temporary files that stay, after a survey or after an error; and an error that does
// not say where there is no room.
TEST(UnsortedStream, LeavesNothingBehind) {
  const TemporaryFolder folder, temporary;
  const std::string path = folder.write("t.csv", csv(one_late(40, 30)));
  const std::string bad = folder.write("bad.csv", csv(one_late(40, 30)) + "1,1,x,t,s\n");
  const char* const before = std::getenv("TMPDIR");
  const std::string restored = before != nullptr ? before : "";
  ::setenv("TMPDIR", temporary.path().c_str(), 1);
  const auto survey = survey_trace(path, with_window(3));
  EXPECT_EQ(survey->order, RowOrder::scattered);
  EXPECT_GT(survey->runs->bytes(), 0U);
  EXPECT_THAT(message_of([&] { survey_trace(bad, with_window(3)); }), HasSubstr("bad.csv:42"));
  EXPECT_TRUE(std::filesystem::is_empty(temporary.path()));
  ::setenv("TMPDIR", (temporary.path() + "/none").c_str(), 1);
  EXPECT_THAT(message_of([&] { survey_trace(path, with_window(3)); }),
              HasSubstr("a temporary file cannot be made"));
  if (before != nullptr) {
    ::setenv("TMPDIR", restored.c_str(), 1);
  } else {
    ::unsetenv("TMPDIR");
  }
}

}  // namespace
}  // namespace tokenyard
