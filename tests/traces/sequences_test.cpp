// Requests for several sequences: how many, how long each, and what is refused.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/traces/made_up_files.hpp"
#include "traces/replay.hpp"
#include "traces/truth.hpp"
#include "traces/writer.hpp"

namespace tokenyard {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string line_with(const std::string& fields, const std::string& output = "9") {
  return R"({"id":"a","arrival_ns":1,"input_tokens":5,"output_tokens":)" + output +
         (fields.empty() ? "" : "," + fields) + "}\n";
}

struct Asked {
  const char* fields;   // as JSON
  const char* columns;  // n, best_of and beam_width as CSV cells
  std::int32_t width;
  bool beam_search;
};

const std::vector<Asked> kAsked = {
    {"", ",,", 1, false},
    {R"("n":1,"best_of":1,"beam_width":1)", "1,1,1", 1, false},
    {R"("n":3)", "3,,", 3, false},
    {R"("best_of":4)", ",4,", 4, false},
    {R"("n":2,"best_of":4)", "2,4,", 4, false},
    {R"("n":2,"beam_width":5)", "2,,5", 5, true},
    {R"("n":1,"best_of":4,"beam_width":1)", "1,4,1", 4, false},
    {R"("n":1024)", "1024,,", 1024, false},
    {R"("beam_width":1024)", ",,1024", 1024, true},
};

// Would catch: a width that is not the greater of n and best_of, beams taken for samples, a beam
// width of 1 taken for beam search; readers that disagree.
TEST(Sequences, AreWhatTheClientAskedFor) {
  for (const Asked& asked : kAsked) {
    const Trace json = read_text(line_with(asked.fields));
    const Trace csv = read_text(
        std::string("id,arrival_ns,input_tokens,output_tokens,n,best_of,beam_width\na,1,5,9,") +
        asked.columns + "\n");
    EXPECT_EQ(json.requests, csv.requests) << asked.fields;
    EXPECT_EQ(json.digest, csv.digest) << asked.fields;
    EXPECT_EQ(json.requests[0].width(), asked.width) << asked.fields;
    EXPECT_EQ(json.requests[0].beam_search(), asked.beam_search) << asked.fields;
  }
}

// Would catch: a width that does not reach the server.
TEST(Sequences, ReachTheRequest) {
  for (const Asked& asked : kAsked) {
    const Trace trace = read_text(line_with(asked.fields));
    TraceView view(trace);
    TraceWorkload workload(view);
    Events events;
    std::vector<Event> due;
    workload.post_until(kOrigin, events);
    events.take_due(kNever, due);
    ASSERT_EQ(due.size(), 1U);
    const Request& request = std::get<Arrival>(due[0].payload).request;
    EXPECT_EQ(request.width, asked.width) << asked.fields;
    EXPECT_EQ(request.beam_search, asked.beam_search) << asked.fields;
  }
}

// Would catch: contradictions and mad numbers that are accepted, and messages without the field.
TEST(Sequences, RefusesWhatCannotBe) {
  const auto with = [](const std::string& fields) { return refusal(line_with(fields)); };
  EXPECT_EQ(with(R"("n":3,"best_of":2)"), "trace:1: n: 3 is more than best_of (2)");
  EXPECT_EQ(with(R"("n":2,"best_of":1)"), "trace:1: n: 2 is more than best_of (1)");
  EXPECT_EQ(with(R"("n":3,"beam_width":2)"), "trace:1: n: 3 is more than beam_width (2)");
  for (const std::string field : {"n", "best_of", "beam_width"}) {
    for (const char* bad : {"0", "-1", "1025", "2147483648", "99999999999999999999", "1.5", "null",
                            "\"2\"", "[2]", "true"}) {
      EXPECT_THAT(with("\"" + field + "\":" + bad), testing::StartsWith("trace:1: /" + field))
          << bad;
    }
    for (const char* bad : {"0", "-1", "1025", "4294967298", "two"}) {
      EXPECT_THAT(refusal("arrival_ns,input_tokens,output_tokens," + field + "\n1,1,1," + bad),
                  testing::StartsWith("trace:2: " + field + ": "))
          << bad;
    }
  }
  EXPECT_EQ(refusal("arrival_ns,input_tokens,output_tokens,n,best_of\n1,1,1,3,2\n"),
            "trace:2: n: 3 is more than best_of (2)");
}

// Would catch: lengths that are given to other sequences or requests, a longest that is not.
TEST(OutputLists, GiveEachSequenceItsLength) {
  const Trace trace = read_text(
      R"({"id":"late","arrival_ns":9,"input_tokens":5,"output_tokens":[7,2147483647,1],"n":3})"
      "\n"
      R"({"id":"one","arrival_ns":8,"input_tokens":5,"output_tokens":6})"
      "\n"
      R"({"id":"early","arrival_ns":1,"input_tokens":5,"output_tokens":[4,5],"best_of":2})"
      "\n"
      R"({"id":"beams","arrival_ns":5,"input_tokens":5,"output_tokens":8,"beam_width":2})"
      "\n");
  const TraceView view(trace);
  const TraceTruth truth(view);
  const auto lengths = [&](std::uint32_t request) {
    std::vector<std::int64_t> all = {truth.output_tokens(RequestId{request})};
    for (std::int32_t i = 0; i < trace.requests[request].width(); ++i) {
      all.push_back(truth.output_tokens(RequestId{request}, i));
    }
    return all;
  };
  EXPECT_THAT(lengths(0), ElementsAre(5, 4, 5));
  EXPECT_THAT(lengths(1), ElementsAre(8, 8, 8));
  EXPECT_THAT(lengths(2), ElementsAre(6, 6));
  EXPECT_THAT(lengths(3), ElementsAre(2'147'483'647, 7, 2'147'483'647, 1));
  EXPECT_ANY_THROW(truth.output_tokens(RequestId{0}, 2));
  EXPECT_ANY_THROW(truth.output_tokens(RequestId{0}, -1));
  EXPECT_ANY_THROW(truth.output_tokens(RequestId{4}, 0));
}

// Would catch: a truth that asks for lists where no request has one.
TEST(OutputLists, AreNotNeeded) {
  const Trace trace = read_text(line_with(R"("n":3)"));
  EXPECT_EQ(TraceTruth(TraceView(trace)).output_tokens(RequestId{0}, 2), 9);
}

// Would catch: lists that are cut, padded or ignored.
TEST(OutputLists, RefusesWhatCannotBe) {
  const auto with = [](const std::string& output, const std::string& fields) {
    return refusal(line_with(fields, output));
  };
  EXPECT_EQ(with("[1,2]", R"("n":3)"),
            "trace:1: output_tokens: the list has 2 entries, the request 3 sequences");
  EXPECT_EQ(with("[1,2,3,4]", R"("n":3)"),
            "trace:1: output_tokens: the list has 4 entries, the request 3 sequences");
  EXPECT_EQ(with("[1,2]", R"("beam_width":2)"),
            "trace:1: output_tokens: a list is for parallel samples (n or best_of above 1), not "
            "for beams");
  EXPECT_EQ(with("[1]", ""),
            "trace:1: output_tokens: a list is for parallel samples (n or best_of above 1), there "
            "is one sequence");
  EXPECT_EQ(with("[]", R"("n":2)"), "trace:1: /output_tokens: the list is empty");
  EXPECT_EQ(with("[5,9]", R"("n":2,"max_tokens":8)"),
            "trace:1: output_tokens: 9 is more than max_tokens (8)");
  EXPECT_EQ(with("[8,8]", R"("n":2,"max_tokens":8)"), "no InputError");
  for (const char* bad : {"0", "-1", "1.5", "\"1\"", "null", "2147483648", "[1]", "1e999"}) {
    EXPECT_THAT(with(std::string("[1,") + bad + "]", R"("n":2)"), testing::StartsWith("trace:1: "))
        << bad;
  }
  EXPECT_THAT(with("[1,0]", R"("n":2)"), HasSubstr("/output_tokens/1: expected an integer from 1"));
}

// Would catch: a conversion that loses what was asked for, or writes it where it is the default.
TEST(Sequences, AreWrittenAsGiven) {
  const TemporaryFolder folder;
  const std::string text =
      R"({"id":"a","arrival_ns":1,"input_tokens":5,"output_tokens":[3,9],"max_tokens":9,)"
      R"("best_of":2})"
      "\n"
      R"({"id":"b","arrival_ns":2,"input_tokens":5,"output_tokens":9,"n":2,"beam_width":3})"
      "\n"
      R"({"id":"c","arrival_ns":3,"input_tokens":5,"output_tokens":9})"
      "\n";
  Trace trace = read_text(text);
  write_trace(trace, folder.path("t.jsonl"));
  EXPECT_EQ(test::file_content(folder.path("t.jsonl")), text);
  EXPECT_THAT(message_of([&] { write_trace(trace, folder.path("t.csv")); }),
              HasSubstr("t.csv: a CSV cannot hold this trace's lists"));
  EXPECT_FALSE(std::filesystem::exists(folder.path("t.csv")));
  trace = read_text(text.substr(text.find('\n') + 1));
  write_trace(trace, folder.path("t.csv"));
  EXPECT_EQ(test::file_content(folder.path("t.csv")),
            "id,arrival_ns,input_tokens,output_tokens,n,beam_width\nb,2,5,9,2,3\nc,3,5,9,1,\n");
}

}  // namespace
}  // namespace tokenyard
