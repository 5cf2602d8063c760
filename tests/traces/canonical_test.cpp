// The canonical JSON Lines, and what is written reads back.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <numeric>

#include "tests/traces/made_up_files.hpp"
#include "traces/trace_builder.hpp"
#include "traces/writer.hpp"

namespace tokenyard {
namespace {

using testing::HasSubstr;

// Would catch: an optional field that is ignored, a number as id refused, a meta line taken for a
// request.
TEST(CanonicalReader, ReadsEveryFieldThatIsSimulated) {
  const Trace trace =
      read_text(R"({"meta":{"source":"made up","block_tokens":16}})"
                "\n"
                R"({"id":7,"arrival_ns":5,"input_tokens":10,"output_tokens":20,"max_tokens":100,)"
                R"("predicted_output_tokens":25,"priority":-3,"tenant":"x","cancel_after_ns":7000})"
                "\n"
                R"({"output_tokens":2,"input_tokens":1,"arrival_ns":9,"id":"\u00e9\"\\"})"
                "\n");
  ASSERT_EQ(trace.requests.size(), 2U);
  const TraceRequest first{"7",         kOrigin + Duration(5), 10, 20, 100, 25, -3,
                           TenantId{0}, Duration(7000)};
  EXPECT_EQ(trace.requests[0], first);
  EXPECT_EQ(trace.requests[1].label, "é\"\\");
  EXPECT_EQ(trace.tenants, (std::vector<std::string>{"x", ""}));
  EXPECT_EQ(trace.meta, R"({"source":"made up","block_tokens":16})");
  EXPECT_EQ(trace.counts.read, 2);
}

// Would catch: fields of the schema that cannot change a result here and are refused all the same.
TEST(CanonicalReader, AcceptsTheRestOfTheSchema) {
  const Trace trace = read_text(
      R"({"id":"a","arrival_ns":1,"input_tokens":1,"output_tokens":1,"n":1,"best_of":1,)"
      R"("beam_width":1,"session_id":"s","turn":0,"parents":[],"block_hashes":[1,2],"model":"m",)"
      R"("slo":{"ttft_s":1.5},"deadline_ns":5,"status":"ok","prompt":"hi",)"
      R"("prompt_token_ids":[3],"ext":{"any":["thing"]}})");
  EXPECT_EQ(trace.requests.size(), 1U);
}

std::string line_refusal(const std::string& fields) {
  return refusal(R"({"id":"a","arrival_ns":1,"input_tokens":1,"output_tokens":1})"
                 "\n{" +
                 fields + "}\n");
}

constexpr const char* kRest = R"("arrival_ns":1,"input_tokens":1,"output_tokens":1)";

// Would catch: a request that is replayed as something simpler than it is.
TEST(CanonicalReader, RefusesWhatItWouldNotHonour) {
  const auto with = [](const std::string& field) {
    return line_refusal(R"("id":"b",)" + std::string(kRest) + "," + field);
  };
  EXPECT_THAT(with(R"("n":2)"), HasSubstr("requests with more than one sequence are not replayed"));
  EXPECT_THAT(with(R"("best_of":2)"), HasSubstr("more than one sequence"));
  EXPECT_THAT(with(R"("beam_width":2)"), HasSubstr("more than one sequence"));
  EXPECT_THAT(with(R"("parents":["a"])"), HasSubstr("requests that wait for others"));
  EXPECT_THAT(with(R"("delay_ns":5)"), HasSubstr("requests that wait for others"));
  EXPECT_THAT(with(R"("tennant":"x")"), HasSubstr("'tenant'"));
  EXPECT_THAT(with(R"("max_tokens":0)"), HasSubstr("max_tokens"));
  EXPECT_THAT(with(R"("cancel_after_ns":0)"), HasSubstr("cancel_after_ns"));
  EXPECT_THAT(with(R"("meta":{})"), HasSubstr("belongs on the first line"));
  for (const char* field : {R"("n":2)", R"("parents":["a"])", R"("tennant":1)", R"("meta":{})"}) {
    EXPECT_THAT(with(field), testing::StartsWith("trace:2: ")) << field;
  }
}

// Would catch: bad values that are converted, and messages without the place.
TEST(CanonicalReader, RefusesBadLines) {
  const auto number = [](const std::string& value) {
    return line_refusal(R"("id":"b","arrival_ns":1,"output_tokens":1,"input_tokens":)" + value);
  };
  for (const char* bad : {"-1", "1.5", "\"5\"", "2147483648", "99999999999999999999", "null",
                          "true", "[1]", "1e3", "NaN"}) {
    EXPECT_THAT(number(bad), testing::StartsWith("trace:2: ")) << bad;
  }
  EXPECT_THAT(number("-1"), HasSubstr("input_tokens"));
  EXPECT_THAT(line_refusal(R"("id":"b","input_tokens":1,"output_tokens":1)"),
              HasSubstr("arrival_ns"));
  EXPECT_THAT(line_refusal(R"("id":"a",)" + std::string(kRest)),
              HasSubstr("trace:2: id: 'a' is a duplicate"));
  EXPECT_THAT(line_refusal(R"("id":"",)" + std::string(kRest)), HasSubstr("id: is empty"));
  EXPECT_THAT(line_refusal(kRest), HasSubstr("id"));
  EXPECT_THAT(refusal(R"({"id":"a","input_tokens")"), testing::StartsWith("trace:1: "));
  EXPECT_THAT(refusal(R"({"meta":{}})"), HasSubstr("the trace has no request"));
}

/// Any trace that a reader could have made.
Trace arbitrary_trace() {
  const auto optional = [](auto generator) {
    using Value = typename decltype(generator)::ValueType;
    return *rc::gen::arbitrary<bool>() ? std::optional<Value>(*generator) : std::nullopt;
  };
  const auto tokens = rc::gen::inRange<std::int64_t>(1, kMostTokens);
  Trace trace;
  trace.tenants = {"", "a,b", "\"quoted\"", "été\\"};
  const int count = *rc::gen::inRange(1, 30);
  for (int i = 0; i < count; ++i) {
    TraceRequest request;
    request.label =
        std::to_string(i) + *rc::gen::container<std::string>(rc::gen::inRange(' ', '~'));
    request.arrival = kOrigin + Duration(*rc::gen::inRange<std::int64_t>(0, 1'000));
    request.input_tokens = *tokens;
    request.output_tokens = *tokens;
    request.max_tokens = optional(rc::gen::inRange(request.output_tokens, kMostTokens + 1));
    request.predicted_output_tokens = optional(tokens);
    request.priority = *rc::gen::arbitrary<std::int32_t>();
    request.tenant = static_cast<TenantId>(*rc::gen::inRange<std::uint32_t>(0, 4));
    if (*rc::gen::arbitrary<bool>()) request.cancel_after = Duration(*tokens);
    trace.requests.push_back(request);
  }
  settle(trace);
  return trace;
}

// Would catch: a field that writing or reading loses or changes, in any of the forms; quoting
// mistakes; a digest that depends on the form.
RC_GTEST_PROP(Writer, WhatIsWrittenReadsBack, ()) {
  const Trace trace = arbitrary_trace();
  const TemporaryFolder folder;
  for (const char* name : {"t.jsonl", "t.csv", "t.jsonl.gz", "t.csv.gz"}) {
    write_trace(trace, folder.path(name));
    const Trace again = read_trace(folder.path(name));
    RC_ASSERT(again.requests == trace.requests);
    RC_ASSERT(again.tenants == trace.tenants);
    RC_ASSERT(again.digest == trace.digest);
  }
}

// Would catch: a digest that leaves something out that a run depends on.
TEST(Digest, TellsEveryFieldApart) {
  Trace trace;
  trace.requests.resize(2);
  trace.tenants = {"", "other"};
  const std::string before = digest_of(trace);
  const auto changed = [&trace](auto change) {
    Trace other = trace;
    change(other.requests[1]);
    return digest_of(other);
  };
  std::vector<std::string> digests = {before};
  digests.push_back(changed([](TraceRequest& r) { r.label = "x"; }));
  digests.push_back(changed([](TraceRequest& r) { r.label = std::string("x\0", 2); }));
  digests.push_back(changed([](TraceRequest& r) { r.arrival += Duration(1); }));
  digests.push_back(changed([](TraceRequest& r) { r.input_tokens = 1; }));
  digests.push_back(changed([](TraceRequest& r) { r.output_tokens = 1; }));
  digests.push_back(changed([](TraceRequest& r) { r.max_tokens = 0; }));
  digests.push_back(changed([](TraceRequest& r) { r.max_tokens = 1; }));
  digests.push_back(changed([](TraceRequest& r) { r.predicted_output_tokens = 1; }));
  digests.push_back(changed([](TraceRequest& r) { r.priority = 1; }));
  digests.push_back(changed([](TraceRequest& r) { r.tenant = TenantId{1}; }));
  digests.push_back(changed([](TraceRequest& r) { r.cancel_after = Duration(1); }));
  std::sort(digests.begin(), digests.end());
  EXPECT_EQ(std::adjacent_find(digests.begin(), digests.end()), digests.end());
  EXPECT_EQ(before.size(), 16U);
}

// Would catch: a half-written or left-over file, and an ending that is guessed.
TEST(Writer, LeavesNothingBehindOnFailure) {
  const TemporaryFolder folder;
  Trace trace = read_text(R"({"id":"a","arrival_ns":1,"input_tokens":1,"output_tokens":1})");
  EXPECT_THAT(message_of([&] { write_trace(trace, folder.path("t.txt")); }),
              HasSubstr("t.txt: a trace is written as .jsonl"));
  EXPECT_THAT(message_of([&] { write_trace(trace, folder.path("no/t.csv")); }),
              HasSubstr("t.csv: cannot be written: No such file or directory"));
  std::filesystem::create_directory(folder.path("d.csv"));
  EXPECT_THAT(message_of([&] { write_trace(trace, folder.path("d.csv")); }),
              HasSubstr("is a directory"));
  write_trace(trace, folder.path("t.csv"));
  EXPECT_EQ(content_of(folder.path("t.csv")),
            "id,arrival_ns,input_tokens,output_tokens\na,1,1,1\n");
  std::filesystem::remove(folder.path("t.csv"));
  std::filesystem::remove(folder.path("d.csv"));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path("")));
}

}  // namespace
}  // namespace tokenyard
