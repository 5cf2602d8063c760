// The CSV formats: what is read, and what is refused where.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/traces/made_up_files.hpp"

namespace tokenyard {
namespace {

using testing::HasSubstr;

constexpr const char* kAzureHeader = "TIMESTAMP,ContextTokens,GeneratedTokens\n";
constexpr const char* kVidurHeader = "arrived_at,num_prefill_tokens,num_decode_tokens\n";
constexpr const char* kFlatHeader = "id,arrival_ns,input_tokens,output_tokens\n";

std::vector<std::int64_t> arrivals_ns(const Trace& trace) {
  std::vector<std::int64_t> times;
  for (const auto& request : trace.requests) times.push_back((request.arrival - kOrigin).count());
  return times;
}

std::vector<std::string> labels(const Trace& trace) {
  std::vector<std::string> names;
  for (const auto& request : trace.requests) names.push_back(request.label);
  return names;
}

// Would catch: a lost tick of 100 ns, a time that does not count from the first row, a midnight or
// leap day counted wrongly, CRLF or a missing last newline taken as data.
TEST(AzureReader, CountsFromTheEarliestRowInExactTicks) {
  const Trace trace = read_text(
      "TIMESTAMP,ContextTokens,GeneratedTokens\r\n"
      "2024-02-28 23:59:59.9999999,374,44\r\n"
      "2024-02-29 00:00:00.0000001,396,109\r\n"
      "2024-03-01 00:00:00,8,3");
  EXPECT_EQ(arrivals_ns(trace), (std::vector<std::int64_t>{0, 200, 86'400'000'000'100}));
  EXPECT_EQ(trace.requests[1].input_tokens, 396);
  EXPECT_EQ(trace.requests[1].output_tokens, 109);
  EXPECT_EQ(labels(trace), (std::vector<std::string>{"0", "1", "2"}));
  EXPECT_EQ(trace.tenants, std::vector<std::string>{""});
  EXPECT_EQ(trace.name, "trace");
}

// Would catch: timestamps that are repaired or guessed.
TEST(AzureReader, RefusesBadTimestamps) {
  for (const char* bad :
       {"", "2023-11-16", "2023-11-16 18:15", "2023-02-29 00:00:00", "2023-13-01 00:00:00",
        "2023-11-16 24:00:00", "2023-11-16 18:15:60", "2023-11-16 18:15:46.",
        "2023-11-16 18:15:46.1234567891", "2023-11-16 18:15:46+1:00", "2023-11-16 18:15:4x",
        "1969-12-31 23:59:59", "16.11.2023 18:15:46", "1700158546.5"}) {
    EXPECT_THAT(refusal(std::string(kAzureHeader) + bad + ",1,1\n"),
                HasSubstr("trace:2: TIMESTAMP: '" + std::string(bad) + "' is not a time like"));
  }
}

// Would catch: a zone that is ignored, or taken the wrong way round. (The traces of 2024 have it.)
TEST(AzureReader, HonoursZones) {
  const Trace trace = read_text(std::string(kAzureHeader) +
                                "2024-05-10 00:00:00.009930+00:00,2162,5\n"
                                "2024-05-10T00:00:01.5Z,1,1\n"
                                "2024-05-10 01:00:02+01:00,1,1\n"
                                "2024-05-09 18:30:03-05:30,1,1\n");
  EXPECT_EQ(arrivals_ns(trace),
            (std::vector<std::int64_t>{0, 1'490'070'000, 1'990'070'000, 2'990'070'000}));
  EXPECT_THAT(refusal(std::string(kAzureHeader) + "2024-05-10 00:00:00+24:00,1,1\n"),
              HasSubstr("is not a time like"));
}

// Would catch: seconds read through a double (5.8926549999999995 s is 5,892,655,000 ns to the
// nearest), exponents or many digits misread, and rounding instead of exact digits.
TEST(VidurReader, ReadsDecimalSecondsExactly) {
  const Trace trace = read_text(std::string(kVidurHeader) +
                                "0.0,1,1\n1e-05,1,1\n.5,1,1\n4.314579,1,1\n"
                                "5.8926549999999995,1,1\n"
                                "1000000000.123456789,1,1\n"
                                "12345678901E-1,1,1\n");
  EXPECT_EQ(arrivals_ns(trace),
            (std::vector<std::int64_t>{0, 10'000, 500'000'000, 4'314'579'000, 5'892'655'000,
                                       1'000'000'000'123'456'789, 1'234'567'890'100'000'000}));
}

// Would catch: an origin that is moved for times that have one already.
TEST(VidurReader, KeepsItsOwnOrigin) {
  EXPECT_EQ(arrivals_ns(read_text(std::string(kVidurHeader) + "2.5,1,1\n3,1,1\n")),
            (std::vector<std::int64_t>{2'500'000'000, 3'000'000'000}));
}

// Would catch: a time in another notation taken for something else.
TEST(VidurReader, RefusesBadSeconds) {
  for (const char* bad : {"", ".", "1.2.3", "abc", "nan", "inf", "1e", "1e+", "1e+-5", "0x10", " 1",
                          "1_0", "9999999999", "1e300", "1e999", "+1"}) {
    EXPECT_THAT(refusal(std::string(kVidurHeader) + bad + ",1,1\n"),
                HasSubstr("trace:2: arrived_at: '" + std::string(bad) + "' is not a time"))
        << bad;
  }
  EXPECT_EQ(refusal(std::string(kVidurHeader) + "-0.5,1,1\n"),
            "trace:2: arrived_at: -0.5 is negative");
}

// Would catch: columns taken by place instead of by name, and a derived column refused.
TEST(VidurReader, FindsColumnsByName) {
  const Trace trace = read_text(
      "num_decode_tokens,arrived_at,num_prefill_tokens,num_total_tokens,pd_ratio\n"
      "44,1.5,374,418,8.5\n");
  EXPECT_EQ(trace.requests[0].input_tokens, 374);
  EXPECT_EQ(trace.requests[0].output_tokens, 44);
}

// Would catch: a file of lengths replayed as if all its requests arrived at once.
TEST(VidurReader, RefusesLengthsWithoutArrivals) {
  EXPECT_THAT(refusal("num_prefill_tokens,num_decode_tokens\n1,2\n"),
              HasSubstr("trace:1: arrived_at: the file has lengths but no arrivals"));
}

// Would catch: an optional column that is ignored or that leaks into another request.
TEST(FlatCsvReader, ReadsOptionalColumns) {
  const Trace trace = read_text(
      "id,arrival_ns,input_tokens,output_tokens,max_tokens,predicted_output_tokens,priority,"
      "tenant,cancel_after_ns,model,n\n"
      "a,5,10,20,100,25,-3,\"x, \"\"y\"\"\",7000,opt,1\n"
      "b,6,11,21,,,,,,,\n");
  const TraceRequest first = trace.requests[0];
  EXPECT_EQ(first.label, "a");
  EXPECT_EQ(first.max_tokens, 100);
  EXPECT_EQ(first.predicted_output_tokens, 25);
  EXPECT_EQ(first.priority, -3);
  EXPECT_EQ(first.cancel_after, Duration(7000));
  EXPECT_EQ(trace.tenants, (std::vector<std::string>{"x, \"y\"", ""}));
  EXPECT_EQ(first.tenant, TenantId{0});
  TraceRequest second;
  second.label = "b";
  second.arrival = kOrigin + Duration(6);
  second.input_tokens = 11;
  second.output_tokens = 21;
  second.tenant = TenantId{1};
  EXPECT_EQ(trace.requests[1], second);
}

// Would catch: lists, parents or unknown columns that are dropped in silence.
TEST(FlatCsvReader, RefusesWhatItWouldNotHonour) {
  const auto with = [](const std::string& column, const std::string& value) {
    return refusal("arrival_ns,input_tokens,output_tokens," + column + "\n1,1,1," + value + "\n");
  };
  for (const std::string column : {"block_hashes", "prompt_token_ids"}) {
    EXPECT_EQ(with(column, "[1]"),
              "trace:2: " + column + ": a list is read from JSON Lines only, not from CSV");
    EXPECT_EQ(with(column, ""), "no InputError");
  }
  EXPECT_EQ(refusal("arrival_ns,input_tokens,output_tokens,n\n1,1,\"[3,4]\",2\n"),
            "trace:2: output_tokens: a list is read from JSON Lines only, not from CSV");
  EXPECT_THAT(with("parents", "a"),
              HasSubstr("trace:2: parents: a list is read from JSON Lines only"));
  EXPECT_EQ(with("tennant", "a"), "trace:1: tennant: unknown column (did you mean 'tenant'?)");
  EXPECT_EQ(with("max_tokens", "0"), "trace:2: max_tokens: 0 is not in 1 … 2147483647");
  EXPECT_EQ(refusal("arrival_ns,input_tokens,output_tokens,max_tokens\n1,1,9,8\n"),
            "trace:2: output_tokens: 9 is more than max_tokens (8)");
  EXPECT_EQ(with("cancel_after_ns", "0"),
            "trace:2: cancel_after_ns: 0 is not in 1 … 3153600000000000000");
  EXPECT_EQ(with("input_tokens", "1"), "trace:1: input_tokens: the column occurs twice");
}

ReadOptions with_format(const std::string& format) {
  ReadOptions options;
  options.format = format;
  options.details = true;
  return options;
}

// Would catch: a unit that is guessed or wrong by thousands, a time through a double, columns by
// place, optional columns and others that are lost.
TEST(MappedCsv, ReadsTheColumnsThatTheUserNames) {
  const std::string text =
      "who,t,in,out,extra,kind\nx,1700158546123.5,10,20,e1,m\n,1700158546000.0000014,30,40,,\n";
  const auto map = [](const std::string& unit) {
    return with_format("csv:arrival=t,unit=" + unit +
                       ",input_tokens=in,output_tokens=out,tenant=who,model=kind");
  };
  const Trace trace = read_text(text, map("ms"));
  EXPECT_EQ(arrivals_ns(trace), (std::vector<std::int64_t>{0, 123'499'999}));
  EXPECT_EQ(trace.requests[1].input_tokens, 10);
  EXPECT_EQ(trace.requests[1].output_tokens, 20);
  EXPECT_EQ(trace.tenants, (std::vector<std::string>{"", "x"}));
  const auto details = trace.details.at(trace.requests[1].details);
  EXPECT_EQ(std::string(details.begin(), details.end()), R"("model":"m","ext":{"extra":"e1"})");
  EXPECT_EQ(arrivals_ns(read_text(text, map("us"))), (std::vector<std::int64_t>{0, 123'500}));
  EXPECT_EQ(arrivals_ns(read_text(text, map("ns"))), (std::vector<std::int64_t>{0, 124}));
  EXPECT_THAT(refusal(text, map("s")), HasSubstr("trace:2: t: '1700158546123.5' is not a time in "
                                                 "seconds (at most 100 years)"));
  EXPECT_EQ(arrivals_ns(read_text("t,in,out\n2024-05-10 00:00:01,1,1\n2024-05-10 00:00:00,1,1\n",
                                  with_format("csv:arrival=t,unit=timestamp,input_tokens=in,"
                                              "output_tokens=out"))),
            (std::vector<std::int64_t>{0, 1'000'000'000}));
}

// Would catch: a map that is taken although it does not say all, or names what is not there.
TEST(MappedCsv, RefusesHalfAMap) {
  const auto with = [](const std::string& map) {
    return refusal("t,in,out\n1,1,1\n", with_format("csv:" + map));
  };
  const std::string lengths = "input_tokens=in,output_tokens=out";
  EXPECT_THAT(with("arrival=t," + lengths), HasSubstr("trace format csv: unit: is required"));
  EXPECT_THAT(with("arrival=t,unit=min," + lengths), HasSubstr("expected one of s, ms, us, ns"));
  EXPECT_THAT(with("unit=s," + lengths), HasSubstr("arrival: is required"));
  EXPECT_THAT(with("arrival=ts,unit=s," + lengths),
              HasSubstr("trace:1: ts: the column is missing from the header"));
  EXPECT_THAT(with("arrival=t,unit=s,tenant=who," + lengths),
              HasSubstr("trace:1: who: the column is missing from the header"));
  EXPECT_THAT(with("arrival=t,unit=s,tennant=in," + lengths), HasSubstr("tennant"));
  EXPECT_THAT(
      refusal(std::string(kAzureHeader) + "2024-05-10 00:00:00,1,1\n", with_format("azure:unit=s")),
      HasSubstr("trace format azure"));
}

// Would catch: bad numbers that are truncated, wrapped or taken as zero, in any of the formats.
TEST(CsvFormats, RefuseBadNumbersWithTheirPlace) {
  const auto azure = [](const std::string& tokens) {
    return refusal(std::string(kAzureHeader) + "2023-11-16 18:15:46.68,5,5\n" +
                   "2023-11-16 18:15:46.68," + tokens + ",5\n");
  };
  EXPECT_EQ(azure("-3"), "trace:3: ContextTokens: -3 is negative");
  EXPECT_EQ(azure("12.5"), "trace:3: ContextTokens: '12.5' is not a whole number");
  EXPECT_EQ(azure("many"), "trace:3: ContextTokens: 'many' is not a whole number");
  EXPECT_EQ(azure(""), "trace:3: ContextTokens: is empty, a whole number is needed");
  EXPECT_EQ(azure(" 7"), "trace:3: ContextTokens: ' 7' is not a whole number");
  EXPECT_EQ(azure("1e3"), "trace:3: ContextTokens: '1e3' is not a whole number");
  EXPECT_EQ(azure("2147483648"), "trace:3: ContextTokens: 2147483648 is not in 0 … 2147483647");
  EXPECT_EQ(azure("99999999999999999999"),
            "trace:3: ContextTokens: 99999999999999999999 is not in 0 … 2147483647");
  EXPECT_THAT(refusal(std::string(kVidurHeader) + "1,1,-1\n"),
              HasSubstr("trace:2: num_decode_tokens: -1 is negative"));
  EXPECT_EQ(refusal(std::string(kFlatHeader) + "a,-1,1,1\n"),
            "trace:2: arrival_ns: -1 is negative");
  EXPECT_THAT(refusal(std::string(kFlatHeader) + "a,3153600000000000001,1,1\n"),
              HasSubstr("trace:2: arrival_ns: 3153600000000000001 is not in"));
}

// Would catch: rows that are padded, cut or glued together.
TEST(CsvFormats, RefuseBrokenRows) {
  EXPECT_EQ(refusal(std::string(kFlatHeader) + "a,1,1,1\nb,1,1\n"),
            "trace:3: the row has 3 columns, the header has 4");
  EXPECT_EQ(refusal(std::string(kFlatHeader) + "a,1,1,1,1\n"),
            "trace:2: the row has 5 columns, the header has 4");
  EXPECT_EQ(refusal(std::string(kFlatHeader) + "\"a,1,1,1\n"),
            "trace:2: a quoted field does not end on its line");
  EXPECT_EQ(refusal(std::string(kFlatHeader) + "\"a\"b,1,1,1\n"),
            "trace:2: text after the end of a quoted field");
  EXPECT_EQ(refusal(std::string(kFlatHeader) + "a\"b,1,1,1\n"),
            "trace:2: a quote in the middle of an unquoted field");
}

}  // namespace
}  // namespace tokenyard
