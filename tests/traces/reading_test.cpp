// What all formats share: recognition, ids, zero-token rows, order, damaged files.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/traces/made_up_files.hpp"
#include "traces/line_reader.hpp"
#include "traces/output_file.hpp"
#include "traces/writer.hpp"

namespace tokenyard {
namespace {

using testing::HasSubstr;

constexpr const char* kHeader = "id,arrival_ns,input_tokens,output_tokens\n";

std::string rows(const std::string& text) {
  return kHeader + text;
}

// Would catch: a file that is not a trace passing as an empty one.
TEST(Reading, RefusesWhatIsNoTrace) {
  const TemporaryFolder folder;
  EXPECT_EQ(message_of([&] { read_trace(folder.path("absent")); }),
            "absent: cannot be read: No such file or directory");
  EXPECT_THAT(message_of([&] { read_trace(folder.path("")); }), HasSubstr("is a directory"));
  EXPECT_EQ(refusal(""), "trace: the file is empty");
  EXPECT_EQ(refusal("\n \n\r\n"), "trace: the file is empty");
  EXPECT_EQ(refusal("\xef\xbb\xbf"), "trace: the file is empty");
  EXPECT_THAT(refusal("1,2,3\n"), HasSubstr("trace:1: the first line '1,2,3' is of no known"));
  EXPECT_THAT(refusal("{\"timestamp\":0,\"input_length\":6}\n"),
              HasSubstr("no known trace format"));
  EXPECT_EQ(refusal(kHeader), "trace:1: the trace has no request");
  EXPECT_THAT(refusal(rows("a,1,0,5\nb,1,5,0\n")),
              HasSubstr("no request left: 2 of 2 rows have zero tokens"));
}

// Would catch: a mistyped or not yet readable format that falls back to recognition, and a named
// format that is ignored.
TEST(Reading, TakesTheNamedFormat) {
  ReadOptions options;
  options.format = "azur";
  EXPECT_EQ(refusal(rows("a,1,1,1\n"), options),
            "unknown trace format 'azur' (did you mean 'azure'?); known: tokenyard, csv, azure, "
            "vidur, burstgpt, mooncake, bailian, tracelab, sharegpt, vllm-bench");
  options.format = "azure";
  EXPECT_THAT(refusal(rows("a,1,1,1\n"), options),
              HasSubstr("trace:1: ContextTokens: the column is missing"));
  options.format = "csv";
  EXPECT_EQ(refusal("arrival_ns,input_tokens\n1,1\n", options),
            "trace:1: output_tokens: the column is missing from the header");
}

// Would catch: byte order marks, CRLF, blank lines or a missing last newline that change the data,
// and line numbers that miss them.
TEST(Reading, AcceptsHarmlessVariations) {
  const Trace plain = read_text(rows("a,1,2,3\nb,2,3,4\n"));
  EXPECT_EQ(read_text("\xef\xbb\xbf" + rows("a,1,2,3\nb,2,3,4")).digest, plain.digest);
  EXPECT_EQ(read_text("id,arrival_ns,input_tokens,output_tokens\r\na,1,2,3\r\nb,2,3,4\r\n").digest,
            plain.digest);
  EXPECT_EQ(read_text(rows("\na,1,2,3\n\n \nb,2,3,4\n\n")).digest, plain.digest);
  EXPECT_THAT(refusal(rows("\n\na,1,2,-3\n")), HasSubstr("trace:4: output_tokens"));
}

// Would catch: two requests under one id, told of the first line instead of the second, and ids
// that would break the result files.
TEST(Reading, RefusesBadIds) {
  EXPECT_EQ(refusal(rows("a,1,1,1\nb,2,1,1\na,3,1,1\n")), "trace:4: id: 'a' is a duplicate");
  EXPECT_EQ(refusal(rows("a,1,0,1\na,3,1,1\n")), "trace:3: id: 'a' is a duplicate");
  EXPECT_EQ(refusal(rows(",1,1,1\n")), "trace:2: id: is empty");
  EXPECT_EQ(refusal(rows("a\tb,1,1,1\n")), "trace:2: id: has a control character");
  for (const char* bad :
       {"\xff", "\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"}) {
    EXPECT_EQ(refusal(rows(std::string(bad) + ",1,1,1\n")),
              "trace:2: bytes that are not UTF-8 at column 1");
  }
  EXPECT_EQ(read_text(rows("Grüße €😀,1,1,1\n")).requests[0].label, "Grüße €😀");
}

// Would catch: a set of ids that loses some when it grows, or takes different ids for equal.
TEST(Reading, FindsOneDuplicateAmongMany) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "request-" + std::to_string(i) + ",1,1,1\n";
  EXPECT_EQ(read_text(rows(text)).requests.size(), 5000U);
  EXPECT_EQ(refusal(rows(text + "request-17,1,1,1\n")),
            "trace:5002: id: 'request-17' is a duplicate");
}

// Would catch: zero-token rows that vanish uncounted, or labels that shift because of them.
TEST(Reading, DropsClampsOrRefusesZeroTokens) {
  const std::string text = "arrival_ns,input_tokens,output_tokens\n7,0,5\n8,5,5\n9,5,0\n";
  const Trace dropped = read_text(text);
  ASSERT_EQ(dropped.requests.size(), 1U);
  EXPECT_EQ(dropped.requests[0].label, "1");
  EXPECT_EQ(dropped.counts.read, 3);
  EXPECT_EQ(dropped.counts.kept, 1);
  EXPECT_EQ(dropped.counts.dropped, (std::vector<DroppedRows>{{"zero tokens", 2}}));

  ReadOptions options;
  options.zero = ZeroTokens::clamp;
  const Trace clamped = read_text(text, options);
  ASSERT_EQ(clamped.requests.size(), 3U);
  EXPECT_EQ(clamped.requests[0].input_tokens, 1);
  EXPECT_EQ(clamped.requests[2].output_tokens, 1);
  EXPECT_EQ(clamped.counts.clamped, 2);
  EXPECT_TRUE(clamped.counts.dropped.empty());

  options.zero = ZeroTokens::error;
  EXPECT_EQ(refusal(text, options), "trace:2: input tokens: is zero");
  EXPECT_EQ(parse_zero_tokens("clamp"), ZeroTokens::clamp);
  EXPECT_EQ(message_of([] { parse_zero_tokens("keep"); }),
            "--zero: 'keep' is not one of drop, clamp, error");
}

// Would catch: an origin that moves when the earliest row is dropped, so that --zero would shift
// all times.
TEST(Reading, ADroppedRowStillSetsTheOrigin) {
  const Trace trace = read_text(
      "TIMESTAMP,ContextTokens,GeneratedTokens\n"
      "2023-11-16 18:00:01,5,5\n2023-11-16 18:00:00,0,0\n");
  EXPECT_EQ(trace.requests[0].arrival - kOrigin, std::chrono::seconds(1));
}

// Would catch: an unstable sort, wrong counting, tenants numbered by the file and not by arrival,
// and a limit that is taken before sorting.
TEST(Reading, SortsStablyAndCounts) {
  const std::string text =
      "id,arrival_ns,input_tokens,output_tokens,tenant\n"
      "late,9,1,1,t1\nx,5,1,1,t2\ny,5,2,1,t2\nearly,1,1,1,t3\nz,5,3,1,t1\n";
  const Trace trace = read_text(text);
  std::vector<std::string> order;
  for (const auto& request : trace.requests) order.push_back(request.label);
  EXPECT_EQ(order, (std::vector<std::string>{"early", "x", "y", "z", "late"}));
  EXPECT_EQ(trace.counts.unsorted, 2);
  EXPECT_EQ(trace.tenants, (std::vector<std::string>{"t3", "t2", "t1"}));
  EXPECT_EQ(trace.requests[4].tenant, TenantId{2});

  ReadOptions options;
  options.limit = 2;
  const Trace limited = read_text(text, options);
  ASSERT_EQ(limited.requests.size(), 2U);
  EXPECT_EQ(limited.requests[1].label, "x");
  EXPECT_EQ(limited.tenants, (std::vector<std::string>{"t3", "t2"}));
  EXPECT_EQ(limited.counts.read, 5);
  EXPECT_EQ(limited.counts.dropped, (std::vector<DroppedRows>{{"beyond the limit", 3}}));
  options.limit = 0;
  EXPECT_THAT(refusal(text, options), HasSubstr("at least 1 request"));
}

// Would catch: NUL bytes that end a text early and lines without an end that fill the memory.
TEST(Reading, RefusesNulBytesAndEndlessLines) {
  EXPECT_EQ(refusal(rows(std::string("a,1,1,1\nb\0,1,1,1\n", 17))),
            "trace:3: a NUL byte at column 2");
  EXPECT_EQ(refusal(rows(std::string(kLongestLine + 1, 'a'))),
            "trace:2: the line is longer than 16 MiB (at column 16777217)");
}

// Would catch: lines cut where a read buffer ends.
TEST(Reading, LinesMayBeLongerThanABuffer) {
  const std::string label(700'000, 'x');
  const Trace trace = read_text(rows("a,1,1,1\n" + label + ",2,1,1\nb,3,1,1\n"));
  EXPECT_EQ(trace.requests[1].label, label);
  EXPECT_EQ(trace.requests[2].label, "b");
}

// Would catch: a damaged archive that passes as a shorter trace.
TEST(Reading, GzipIsReadAndItsDamageIsSeen) {
  const TemporaryFolder folder;
  std::string text = kHeader;
  for (int i = 0; i < 20'000; ++i)
    text += std::to_string(i) + "," + std::to_string(i * i) + ",1,1\n";
  {
    OutputFile file(folder.path("t.csv.gz"));
    file.write(text);
    file.commit();
  }
  const Trace trace = read_trace(folder.path("t.csv.gz"));
  EXPECT_EQ(trace.name, "t");
  EXPECT_EQ(trace.digest, read_text(text).digest);

  const std::string packed = test::file_content(folder.path("t.csv.gz"));
  ASSERT_LT(packed.size(), text.size());
  EXPECT_EQ(read_trace(folder.write("no-ending", packed)).digest, trace.digest);
  const auto damage = HasSubstr(": the compressed data is truncated or damaged");
  for (const std::size_t size :
       {std::size_t{1}, std::size_t{9}, packed.size() / 2, packed.size() - 8, packed.size() - 1}) {
    folder.write("cut.gz", packed.substr(0, size));
    EXPECT_THAT(message_of([&] { read_trace(folder.path("cut.gz")); }), damage) << size;
  }
  folder.write("cut.gz", "plain text");
  EXPECT_THAT(message_of([&] { read_trace(folder.path("cut.gz")); }), damage);
}

}  // namespace
}  // namespace tokenyard
