#include "traces/trace_stream.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/traces/surveys.hpp"
#include "traces/generate.hpp"
#include "traces/writer.hpp"

namespace tokenyard {
namespace {

using testing::HasSubstr;

constexpr std::size_t kBlock = 4096;

void write(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

/// Requests with options, lists, tenants, sessions and ids of every kind, over several blocks; some
/// rows have no tokens.
std::vector<std::string> varied_lines() {
  std::vector<std::string> lines;
  for (int i = 0; i < 10'000; ++i) {
    std::string more;
    if (i % 5 == 0) more += R"(,"cancel_after_ns":)" + std::to_string(1 + i);
    if (i % 7 == 0) more += R"(,"block_hashes":[)" + std::to_string(i) + "]";
    if (i % 11 == 0) more += R"(,"n":2,"best_of":3)";
    if (i % 17 == 0) more += R"(,"session_id":")" + std::to_string(i % 6) + "\"";
    if (i % 19 == 0 && i % 11 != 0)
      more += R"(,"priority":7,"beam_width":4,"max_tokens":500,"model":"m")";
    if (i % 23 == 0) more += R"(,"predicted_output_tokens":9)";
    if (i % 7 == 1 && i % 2 == 0) {
      more += R"(,"prompt_token_ids":[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,2147483647])";
    }
    if (i > 6000 && i % 13 == 0) more += R"(,"tenant":"late )" + std::to_string(i % 3) + "\"";
    const std::string id = i % 2 == 0 ? std::to_string(i) : "\"row " + std::to_string(i) + "\"";
    const std::string outputs = i % 11 == 0 && i % 2 == 0 ? "[3,1,2]" : std::to_string(i % 97);
    lines.push_back("{\"id\":" + id + ",\"arrival_ns\":" + std::to_string(i / 3) +
                    ",\"input_tokens\":16,\"output_tokens\":" + outputs + more + "}\n");
  }
  return lines;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text = "{\"meta\":{\"block_tokens\":16}}\n";
  for (const std::string& line : lines) text += line;
  return text;
}

std::string varied_rows() {
  return joined(varied_lines());
}

/// Reads a file both ways, and what the stream gives must be the trace.
void expect_same(const std::string& path, const ReadOptions& options = {}) {
  const Trace whole = read_trace(path, options);
  const TraceSurvey survey = survey_like(whole, path, options);
  TraceStream stream(path, options, survey);
  ASSERT_EQ(stream.size(), whole.requests.size());
  for (std::size_t id = 0; id < stream.size(); ++id) {
    stream.need(id);
    const TraceView::Place place = stream.place(id);
    TraceRequest got = place.table()[place.at];
    TraceRequest want = whole.requests[id];
    const auto same_list = [&](auto pool, auto slice) {
      return std::ranges::equal((place.trace->*pool).at(got.*slice), (whole.*pool).at(want.*slice));
    };
    ASSERT_TRUE(same_list(&Trace::outputs, &TraceRequest::outputs));
    ASSERT_TRUE(same_list(&Trace::block_hashes, &TraceRequest::block_hashes));
    ASSERT_TRUE(same_list(&Trace::prompt_token_ids, &TraceRequest::prompt_token_ids));
    ASSERT_EQ(place.trace->block_tokens, whole.block_tokens);
    got.outputs = want.outputs;  // where a list lies is the pool's business
    got.block_hashes = want.block_hashes;
    got.prompt_token_ids = want.prompt_token_ids;
    ASSERT_EQ(got, want) << id;
    if (id >= 100) stream.forget_before(id - 100);
    ASSERT_LE(stream.held(), 2 * kBlock);
  }
  EXPECT_EQ(stream.digest(), whole.digest);
}

// Would catch: a request, list, id, tenant, count or digest that depends on how a trace is read;
// blocks that stay in memory; a limit in the middle of a block or at its end.
TEST(TraceStream, GivesTheTraceThatReadingGives) {
  const TemporaryFolder folder;
  const std::string path = folder.path("t.jsonl");
  write(path, varied_rows());
  expect_same(path);
  for (const ZeroTokens zero : {ZeroTokens::drop, ZeroTokens::clamp}) {
    for (const std::int64_t limit : {1, 4096, 5000, 6100, 9'000, 10'000, 20'000}) {
      expect_same(path, {.format = "", .zero = zero, .limit = limit});
    }
  }
  const Trace drawn = generate({9'000, "poisson:rate=50", "sharegpt-like", {}}, 3);
  for (const std::string name : {"g.csv", "g.jsonl.gz"}) {
    write_trace(drawn, folder.path(name));
    expect_same(folder.path(name));
  }
}

// Would catch: a list, an option or a name that is lost where rows are put in order.
TEST(TraceStream, GivesItSortedToo) {
  const TemporaryFolder folder;
  std::vector<std::string> lines = varied_lines();
  for (std::size_t i = 40; i < lines.size(); i += 41) std::swap(lines[i - 40], lines[i]);
  write(folder.path("near.jsonl"), joined(lines));
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::swap(lines[i], lines[i * i * 7 % lines.size()]);
  }
  write(folder.path("far.jsonl"), joined(lines));
  for (const std::string name : {"near.jsonl", "far.jsonl"}) {
    for (const std::int64_t limit : {100, 5000, 20'000}) {
      ReadOptions options;
      options.window = 60;
      options.sort_bytes = 100'000;
      options.limit = limit;
      const auto survey = survey_trace(folder.path(name), options);
      ASSERT_TRUE(survey);
      EXPECT_EQ(survey->order,
                name == "near.jsonl" ? RowOrder::within_window : RowOrder::scattered);
      expect_same(folder.path(name), options);
    }
  }
}

// Would catch: times that count from the first request that was kept, not from the first row.
TEST(TraceStream, CountsFromTheEarliestRow) {
  const TemporaryFolder folder;
  write(folder.path("a.csv"),
        "TIMESTAMP,ContextTokens,GeneratedTokens\n"
        "2023-11-16 18:15:46.0000000,0,44\n"
        "2023-11-16 18:15:47.0000000,374,44\n"
        "2023-11-16 18:15:47.5000000,396,109\n");
  expect_same(folder.path("a.csv"));
}

// Would catch: an unsorted trace that is taken for sorted, and bad input that a survey lets pass or
// describes in other words.
TEST(TraceStream, SeesTheOrderAndRefusesBadTraces) {
  const TemporaryFolder folder;
  const std::string path = folder.path("t.csv");
  const auto survey = [&](const std::string& rows, const ReadOptions& options = {}) {
    write(path, "id,arrival_ns,input_tokens,output_tokens\n" + rows);
    return survey_trace(path, options);
  };
  EXPECT_EQ(survey("a,5,1,1\nb,4,1,1\n")->order, RowOrder::within_window);
  EXPECT_EQ(survey("a,5,0,1\nb,4,1,1\n")->order, RowOrder::within_window);
  EXPECT_EQ(survey("a,5,1,1\nb,5,1,1\n")->order, RowOrder::sorted);
  for (const std::string bad : {"a,1,1,1\na,2,1,1\n", "0,1,1,1\n0,2,1,1\n", "a,1,1\n", "",
                                "a,1,0,1\n", "a,-1,1,1\n", "a,1,1,99999999999\n"}) {
    const std::string said = message_of([&] { survey(bad); });
    EXPECT_EQ(said, message_of([&] { read_trace(path); })) << bad;
    EXPECT_NE(said, "no InputError") << bad;
  }
  EXPECT_THAT(message_of([&] { survey("a,1,1,1\n", {.format = "", .limit = 0}); }),
              HasSubstr("the limit must be at least 1 request"));
  ReadOptions odd;
  odd.format = "odd";
  EXPECT_THAT(message_of([&] { survey("a,1,1,1\n", odd); }),
              HasSubstr("unknown trace format 'odd'"));
}

// Would catch: results of a mixture of two files, when one is replaced between its two readings.
TEST(TraceStream, RefusesAFileThatChanged) {
  const TemporaryFolder folder;
  const std::string path = folder.path("t.csv");
  const std::string header = "id,arrival_ns,input_tokens,output_tokens,tenant\n";
  write(path, header + "a,1,1,1,x\nb,2,1,1,x\n");
  const auto survey = survey_trace(path, {});
  ASSERT_TRUE(survey);
  for (const std::string changed : {"a,1,1,1,x\n", "a,3,1,1,x\nb,2,1,1,x\n",
                                    "a,1,1,1,x\nb,2,1,1,y\n", "a,1,1,1,x\nb,2,0,1,x\n"}) {
    write(path, header + changed);
    TraceStream stream(path, {}, *survey);
    EXPECT_THAT(message_of([&] {
                  stream.need(0);
                  stream.need(1);
                }),
                HasSubstr("t.csv: the file was changed while it was read"))
        << changed;
  }
}

// Would catch: reading beyond the end, or what was forgotten, giving another request's lengths.
TEST(TraceView, KnowsItsRequestsOnly) {
  Trace trace;
  trace.requests.push_back(0, kOrigin, 1, 1);
  TraceView view(trace);
  view.need(0);
  EXPECT_EQ(view.place(0).at, 0U);
  EXPECT_ANY_THROW(view.need(1));
  EXPECT_ANY_THROW(view.place(1));

  const TemporaryFolder folder;
  const std::string path = folder.path("t.jsonl");
  write(path, varied_rows());
  const auto survey = survey_trace(path, {});
  ASSERT_TRUE(survey);
  TraceStream stream(path, {}, *survey);
  stream.need(kBlock);
  EXPECT_EQ(stream.place(0).at, 0U);
  stream.forget_before(kBlock);
  stream.need(2 * kBlock);
  EXPECT_ANY_THROW(stream.place(0));
  EXPECT_EQ(stream.place(kBlock + 1).at, 1U);
}

}  // namespace
}  // namespace tokenyard
