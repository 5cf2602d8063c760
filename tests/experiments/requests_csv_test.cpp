#include "experiments/record/requests_csv.hpp"

#include <gtest/gtest.h>
//
#include <rapidcheck/gtest.h>

#include <limits>
#include <numeric>
#include <sstream>

#include "experiments/record/text_buffer.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"
#include "tests/experiments/made_up.hpp"

namespace tokenyard {
namespace {

using made_up::at_ms;
using made_up::finished;
using made_up::ms;
using made_up::rejected;

std::vector<std::string> lines_of(std::span<const RequestFacts> requests,
                                  const RequestNames& names = {}) {
  std::ostringstream out;
  RequestsCsv csv(out, "requests.csv", names);
  for (const RequestFacts& facts : requests) csv.add(facts);
  csv.finish();
  std::vector<std::string> lines;
  std::istringstream in(out.str());
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// Catches a renamed, missing or moved column: the header is a promise.
TEST(RequestsCsv, HasThePromisedColumns) {
  EXPECT_EQ(lines_of({}).at(0),
            "request_id,arrival_s,prompt_tokens,output_tokens,status,first_scheduled_s,"
            "first_token_s,finish_s,jct_s,ttft_s,tpot_s,normalized_latency_s,queue_s,prefill_s,"
            "decode_s,preempted_s,swap_s,preemptions,swaps_out,swaps_in,recomputed_tokens,tenant,"
            "priority,replica,width,sequence_tokens,cached_tokens");
}

// Catches wrong definitions. By hand: arrival 1.5 s, queue 0.25 s, prefill 0.1 s, decode 0.2 s, 4
// tokens: jct 0.55, ttft 0.35, tpot 0.2/3 = 0.066666667, normalized 0.1375.
TEST(RequestsCsv, OfAFinishedRequestByHand) {
  auto facts = finished(0, 1500, 250, 100, 200, 4);
  facts.preemptions = 2;
  facts.recomputed_tokens = 77;
  facts.request.width = 2;
  facts.sequence_tokens = 7;
  facts.cached_tokens = 3;
  facts.request.tenant = TenantId{1};
  facts.request.priority = -3;
  const RequestLabels labels = [](RequestId) { return "chat, \"17\""; };
  const std::string tenants[] = {"a", "b"};
  EXPECT_EQ(lines_of({&facts, 1}, {labels, tenants}).at(1),
            "\"chat, \"\"17\"\"\",1.500000000,100,4,finished,1.750000000,1.850000000,2.050000000,"
            "0.550000000,0.350000000,0.066666667,0.137500000,0.250000000,0.100000000,0.200000000,"
            "0.000000000,0.000000000,2,0,0,77,b,-3,0,2,7,3");
}

// Catches times of 292 years (kNever) and divisions by zero where something did not happen.
TEST(RequestsCsv, LeavesEmptyWhatDidNotHappen) {
  const auto one_token = finished(0, 0, 0, 100, 0, 1);
  EXPECT_EQ(lines_of({&one_token, 1}).at(1),
            "0,0.000000000,100,1,finished,0.000000000,0.100000000,0.100000000,0.100000000,"
            "0.100000000,,0.100000000,0.000000000,0.100000000,0.000000000,0.000000000,0.000000000,"
            "0,0,0,0,,0,0,1,1,0");

  const auto refused = rejected(0, 2000);
  EXPECT_EQ(lines_of({&refused, 1}).at(1),
            "0,2.000000000,9000,0,rejected,,,2.000000000,,,,,,,,,,0,0,0,0,,0,0,1,0,0");

  RequestFacts cancelled;
  cancelled.request.arrival = at_ms(1000);
  cancelled.request.prompt_tokens = 5;
  cancelled.end = End::cancelled;
  cancelled.ended = at_ms(1300);
  cancelled.phases[0] = ms(300);
  EXPECT_EQ(lines_of({&cancelled, 1}).at(1),
            "0,1.000000000,5,0,cancelled,,,1.300000000,0.300000000,,,,0.300000000,0.000000000,"
            "0.000000000,0.000000000,0.000000000,0,0,0,0,,0,0,1,0,0");
}

// Catches rounding in what is written: read back as whole nanoseconds, the five cells make jct_s.
RC_GTEST_PROP(RequestsCsv, PartsAddUpToTheNanosecond, ()) {
  RequestFacts facts;
  Duration sum{0};
  for (Duration& part : facts.phases) {
    part = Duration(*rc::gen::inRange<std::int64_t>(0, std::int64_t{1} << 50));
    sum += part;
  }
  facts.request.arrival = kOrigin + Duration(*rc::gen::inRange<std::int64_t>(0, 1 << 30));
  facts.request.prompt_tokens = 1;
  facts.output_tokens = *rc::gen::inRange<std::int64_t>(1, 100);
  facts.first_scheduled = facts.request.arrival + facts.phases[0];
  facts.first_token = facts.first_scheduled + facts.phases[1];
  facts.ended = facts.request.arrival + sum;
  const std::string row = lines_of({&facts, 1}).at(1);
  const auto cells = split(row, ',');
  const auto nanoseconds = [&](std::size_t column) {
    std::string digits(cells[column]);
    digits.erase(digits.find('.'), 1);
    return *parse_integer(digits);
  };
  std::int64_t parts = 0;
  for (std::size_t column = 12; column < 17; ++column) parts += nanoseconds(column);
  RC_ASSERT(parts == nanoseconds(8));
  RC_ASSERT(nanoseconds(7) - nanoseconds(1) == nanoseconds(8));
}

// Catches a full disk that goes unnoticed and leaves a short file.
TEST(RequestsCsv, ReportsAFailingStream) {
  std::ostringstream out;
  out.setstate(std::ios::badbit);
  RequestsCsv csv(out, "requests.csv");
  EXPECT_THROW(csv.finish(), InputError);
}

// Would catch: rows that pile up in memory until the end, and a full disk that is found out only
// then.
TEST(RequestsCsv, HandsPiecesOnWhileRunning) {
  std::ostringstream out;
  RequestsCsv csv(out, "requests.csv");
  const auto facts = finished(0, 0, 0, 100, 100, 3);
  for (int i = 0; i < 5000; ++i) csv.add(facts);
  EXPECT_GT(out.str().size(), 250'000U);
  out.setstate(std::ios::badbit);
  EXPECT_THROW(
      {
        for (int i = 0; i < 5000; ++i) csv.add(facts);
      },
      InputError);
}

// Would catch: a label longer than the buffer's spare room that writes beyond it.
TEST(RequestsCsv, WritesVeryLongLabels) {
  const std::string longest(std::size_t{1} << 20U, 'x');
  const auto facts = finished(0, 0, 0, 100, 100, 3);
  const auto lines = lines_of({&facts, 1}, {[&](RequestId) { return longest; }, {}});
  EXPECT_TRUE(lines.at(1).starts_with(longest + ",0.000000000,100,3,finished,"));
}

// Catches wrong digits at the edges of the fixed-point writer.
TEST(TextBuffer, WritesFixedPointExactly) {
  std::ostringstream out;
  TextBuffer buffer(out, "text");
  buffer.seconds(Duration{-1}).text(" ").seconds(Duration{1'000'000'000}).text(" ");
  buffer.microseconds(Duration{1'234'567}).text(" ").microseconds(Duration{9}).text(" ");
  buffer.integer(-42).end_line();
  buffer.flush();
  EXPECT_EQ(out.str(), "-0.000000001 1.000000000 1234.567 0.009 -42\n");
}

// Would catch: the most negative number, whose magnitude has no positive integer, and a digit lost
// where the fraction has zeros.
RC_GTEST_PROP(TextBuffer, AgreesWithTheSlowWriter, ()) {
  const auto least = std::numeric_limits<std::int64_t>::min();
  const auto value = *rc::gen::oneOf(rc::gen::arbitrary<std::int64_t>(), rc::gen::just(least),
                                     rc::gen::just(std::numeric_limits<std::int64_t>::max()),
                                     rc::gen::inRange<std::int64_t>(-2'000'000'000, 2'000'000'000));
  std::ostringstream out;
  TextBuffer buffer(out, "text");
  buffer.integer(value).text(" ").seconds(Duration(value));
  buffer.flush();
  RC_ASSERT(out.str() == std::to_string(value) + " " + format_seconds(Duration(value)));
}

}  // namespace
}  // namespace tokenyard
