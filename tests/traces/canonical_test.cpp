// The canonical JSON Lines, and what is written reads back.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <limits>

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
  TraceRequest first;
  first.label = "7";
  first.arrival = kOrigin + Duration(5);
  first.input_tokens = 10;
  first.output_tokens = 20;
  first.max_tokens = 100;
  first.predicted_output_tokens = 25;
  first.priority = -3;
  first.cancel_after = Duration(7000);
  EXPECT_EQ(trace.requests[0], first);
  EXPECT_EQ(trace.requests[1].label, "é\"\\");
  EXPECT_EQ(trace.tenants, (std::vector<std::string>{"x", ""}));
  EXPECT_EQ(trace.meta, R"({"source":"made up","block_tokens":16})");
  EXPECT_EQ(trace.counts.read, 2);
}

// Would catch: fields of the schema that cannot change a result here and are refused all the same.
TEST(CanonicalReader, AcceptsTheRestOfTheSchema) {
  const Trace trace = read_text(
      R"({"id":"a","arrival_ns":1,"input_tokens":1,"output_tokens":1,"session_id":"s","turn":0,)"
      R"("parents":[],"model":"m","slo":{"ttft_s":1.5},"deadline_ns":5,"status":"ok",)"
      R"("prompt":"hi","ext":{"any":["thing"]}})");
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
  EXPECT_THAT(with(R"("parents":["c"])"), HasSubstr("'c' is no request of the trace"));
  EXPECT_THAT(with(R"("delay_ns":5)"), HasSubstr("is for requests with parents"));
  EXPECT_THAT(with(R"("tennant":"x")"), HasSubstr("'tenant'"));
  EXPECT_THAT(with(R"("max_tokens":0)"), HasSubstr("max_tokens"));
  EXPECT_THAT(with(R"("cancel_after_ns":0)"), HasSubstr("cancel_after_ns"));
  EXPECT_THAT(with(R"("meta":{})"), HasSubstr("belongs on the first line"));
  for (const char* field : {R"("parents":["c"])", R"("tennant":1)", R"("meta":{})"}) {
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

/// Gives a request of the trace what a client may ask for beyond one sequence, and, where `lists`
/// says so, lists.
void add_sequences_and_lists(Trace& trace, TraceRequest& request, bool lists) {
  const auto integers = [](std::int64_t count, std::int64_t least, std::int64_t most) {
    return *rc::gen::container<std::vector<std::int64_t>>(
        static_cast<std::size_t>(count), rc::gen::inRange<std::int64_t>(least, most));
  };
  const auto sequences = rc::gen::inRange<std::int32_t>(1, 5);
  request.n = *sequences;
  if (*rc::gen::arbitrary<bool>()) request.best_of = request.n + *sequences - 1;
  if (*rc::gen::inRange(0, 4) == 0) request.beam_width = request.n + *sequences - 1;
  if (!lists) return;
  if (request.width() > 1 && !request.beam_search() && *rc::gen::arbitrary<bool>()) {
    auto outputs = integers(request.width(), 1, request.output_tokens + 1);
    outputs.back() = request.output_tokens;
    request.outputs = trace.outputs.add(outputs);
  }
  if (*rc::gen::arbitrary<bool>()) request.input_tokens = *rc::gen::inRange(1, 70);
  const std::int64_t blocks = (request.input_tokens + 15) / 16;
  if (*rc::gen::arbitrary<bool>()) {
    const auto count = std::min<std::int64_t>(blocks, *rc::gen::inRange(0, 6));
    request.block_hashes = trace.block_hashes.add(
        integers(count, std::numeric_limits<std::int64_t>::min(), kMostTokens));
  } else if (request.input_tokens < 70) {
    request.prompt_token_ids =
        trace.prompt_token_ids.add(integers(request.input_tokens, 0, kMostTokens));
  }
}

/// Any trace that a reader could have made; without lists one that a CSV can hold.
Trace arbitrary_trace(bool lists) {
  const auto optional = [](auto generator) {
    using Value = typename decltype(generator)::ValueType;
    return *rc::gen::arbitrary<bool>() ? std::optional<Value>(*generator) : std::nullopt;
  };
  const auto tokens = rc::gen::inRange<std::int64_t>(1, kMostTokens);
  Trace trace;
  trace.tenants = {"", "a,b", "\"quoted\"", "été\\"};
  if (lists) {
    trace.meta = R"({"block_tokens":16})";
    trace.block_tokens = 16;
  }
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
    add_sequences_and_lists(trace, request, lists);
    trace.requests.push_back(request);
  }
  settle(trace);
  return trace;
}

// Would catch: a field that writing or reading loses or changes, in any of the forms; quoting
// mistakes; lists that go to another request or out of order; a digest that depends on the form.
RC_GTEST_PROP(Writer, WhatIsWrittenReadsBack, (bool lists)) {
  const Trace trace = arbitrary_trace(lists);
  const TemporaryFolder folder;
  for (const std::string name : {"t.jsonl", "t.jsonl.gz", "t.csv", "t.csv.gz"}) {
    if (lists && name.starts_with("t.csv")) continue;
    write_trace(trace, folder.path(name));
    const Trace again = read_trace(folder.path(name));
    RC_ASSERT(again.requests == trace.requests);
    RC_ASSERT(again.tenants == trace.tenants);
    RC_ASSERT(again.outputs == trace.outputs);
    RC_ASSERT(again.block_hashes == trace.block_hashes);
    RC_ASSERT(again.prompt_token_ids == trace.prompt_token_ids);
    RC_ASSERT(again.digest == trace.digest);
    write_trace(again, folder.path("again-" + name));
    RC_ASSERT(test::file_content(folder.path("again-" + name)) ==
              test::file_content(folder.path(name)));
  }
}

// Would catch: a digest that leaves something out that a run depends on.
TEST(Digest, TellsEveryFieldApart) {
  Trace trace;
  const TraceRequest plain;
  trace.requests.push_back(plain);
  trace.requests.push_back(plain);
  trace.tenants = {"", "other"};
  const std::string before = digest_of(trace);
  const auto changed = [&](auto change) {
    Trace other = trace;
    TraceRequest request = plain;
    change(request);
    other.requests.resize(1);
    other.requests.push_back(request);
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
  digests.push_back(changed([](TraceRequest& r) { r.n = 2; }));
  digests.push_back(changed([](TraceRequest& r) { r.best_of = 2; }));
  digests.push_back(changed([](TraceRequest& r) { r.beam_width = 2; }));
  // The same two numbers as each kind of list, one of them, and one of a list cut in two.
  const std::vector<std::int64_t> numbers = {1, 2};
  const ListSlice both = trace.outputs.add(numbers);
  trace.block_hashes.add(numbers);
  trace.prompt_token_ids.add(numbers);
  const ListSlice second = {1, 1};
  for (const ListSlice slice : {both, second}) {
    digests.push_back(changed([&](TraceRequest& r) { r.outputs = slice; }));
    digests.push_back(changed([&](TraceRequest& r) { r.block_hashes = slice; }));
    digests.push_back(changed([&](TraceRequest& r) { r.prompt_token_ids = slice; }));
  }
  trace.block_tokens = 16;
  digests.push_back(changed([&](TraceRequest& r) { r.block_hashes = both; }));
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
  EXPECT_EQ(test::file_content(folder.path("t.csv")),
            "id,arrival_ns,input_tokens,output_tokens\na,1,1,1\n");
  std::filesystem::remove(folder.path("t.csv"));
  std::filesystem::remove(folder.path("d.csv"));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path("")));
}

}  // namespace
}  // namespace tokenyard
