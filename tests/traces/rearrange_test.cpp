// Traces made of parts of others, and runs over resamples.

#include "traces/rearrange.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "experiments/run.hpp"
#include "tests/traces/drawn.hpp"
#include "tests/traces/made_up_files.hpp"
#include "traces/prompt_hashes.hpp"
#include "traces/transform.hpp"

namespace tokenyard {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kLines =
    R"({"meta":{"block_tokens":16}})"
    "\n"
    R"({"id":"a","arrival_ns":1000000000,"input_tokens":40,"output_tokens":[4,6],"n":2,)"
    R"("tenant":"x"})"
    "\n"
    R"({"id":"b","arrival_ns":2000000000,"input_tokens":33,"output_tokens":5,"max_tokens":9,)"
    R"("block_hashes":[7,8,9]})"
    "\n"
    R"({"id":"c","arrival_ns":2000000000,"input_tokens":33,"output_tokens":7,"tenant":"y",)"
    R"("block_hashes":[7,8]})"
    "\n"
    R"({"id":"d","arrival_ns":4000000000,"input_tokens":10,"output_tokens":1,"tenant":"x",)"
    R"("cancel_after_ns":5})"
    "\n";

std::vector<std::string> labels(const Trace& trace) {
  std::vector<std::string> all;
  for (const auto& request : trace.requests) all.push_back(request.label);
  return all;
}

std::vector<double> times_s(const Trace& trace) {
  std::vector<double> all;
  for (const auto& request : trace.requests) all.push_back(to_seconds(request.arrival - kOrigin));
  return all;
}

// Would catch: an end that is kept or a start that is lost, times from another origin, lists and
// tenants that go to other requests.
TEST(Slice, KeepsAPartAsItWas) {
  Trace part = read_text(kLines);
  slice(part, {2.0, 4.0, 0, {}});
  EXPECT_THAT(labels(part), ElementsAre("b", "c"));
  EXPECT_THAT(times_s(part), ElementsAre(0, 0));
  EXPECT_THAT(part.tenants, ElementsAre("", "y"));
  EXPECT_THAT(part.block_hashes.at(part.requests[1].block_hashes), ElementsAre(7, 8));
  EXPECT_EQ(part.requests[0].max_tokens, 9);
  ASSERT_EQ(part.counts.dropped.size(), 1U);
  EXPECT_EQ(part.counts.dropped[0].rows, 2);
  EXPECT_EQ(part.counts.read, 4);

  Trace counted = read_text(kLines);
  slice(counted, {{}, {}, 1, 2});
  EXPECT_THAT(labels(counted), ElementsAre("b", "c"));
  EXPECT_THAT(times_s(counted), ElementsAre(0, 0));
  Trace both = read_text(kLines);
  slice(both, {1.5, {}, 1, {}});
  EXPECT_THAT(labels(both), ElementsAre("c", "d"));
  EXPECT_THAT(times_s(both), ElementsAre(0, 2));
  Trace whole = read_text(kLines);
  slice(whole, {});
  EXPECT_EQ(whole.digest, read_text(kLines).digest);
  for (const Slice& none : {Slice{5.0, {}, 0, {}}, Slice{{}, {}, 4, {}}, Slice{2.5, 3.0, 0, {}}}) {
    EXPECT_THAT(message_of([&] { slice(whole, none); }), HasSubstr("holds no request"));
  }
}

// Would catch: requests that are lost or keep an id twice, tenants that are not joined by name,
// prompts of two files that are taken for the same.
TEST(Superpose, KeepsEveryRequest) {
  const Trace sum = superpose({read_text(kLines), read_text(kLines)});
  EXPECT_THAT(labels(sum), ElementsAre("1/a", "2/a", "1/b", "1/c", "2/b", "2/c", "1/d", "2/d"));
  EXPECT_THAT(times_s(sum), ElementsAre(1, 1, 2, 2, 2, 2, 4, 4));
  EXPECT_THAT(sum.tenants, ElementsAre("x", "", "y"));
  EXPECT_EQ(sum.counts.read, 8);
  EXPECT_THAT(sum.outputs.at(sum.requests[1].outputs), ElementsAre(4, 6));
  std::set<std::int64_t> names;
  for (const std::size_t at : {2U, 4U}) {
    const auto list = sum.block_hashes.at(sum.requests[at].block_hashes);
    ASSERT_EQ(list.size(), 3U);
    names.insert(list.begin(), list.end());
  }
  EXPECT_EQ(names.size(), 6U);
  // Inside one file the first two blocks are still shared, where the tenant is the same.
  const auto b = sum.block_hashes.at(sum.requests[2].block_hashes);
  const auto c = sum.block_hashes.at(sum.requests[3].block_hashes);
  EXPECT_TRUE(std::ranges::equal(b.first(2), c));

  EXPECT_THAT(
      message_of([] {
        superpose(
            {read_text(kLines),
             read_text("{\"meta\":{\"block_tokens\":32}}\n"
                       "{\"id\":\"e\",\"arrival_ns\":0,\"input_tokens\":40,\"output_tokens\":1,"
                       "\"block_hashes\":[1]}\n")});
      }),
      HasSubstr("names blocks of 32 tokens, one before it of 16"));
}

// Would catch: gaps changed inside a window, windows that leave the trace, a length that is not the
// trace's, ids that are there twice, seeds that do nothing.
TEST(Resample, IsMadeOfWindowsOfTheTrace) {
  const Trace trace = draw(3'000, "gamma:rate=5,cv=3", "sharegpt-like", 4);
  const double span = to_seconds(trace.requests.back().arrival - trace.requests.front().arrival);
  const Trace drawn = resample(trace, 20, 7);
  EXPECT_EQ(resample(trace, 20, 7).digest, drawn.digest);
  EXPECT_NE(resample(trace, 20, 8).digest, drawn.digest);
  EXPECT_LT(times_s(drawn).back(), span);
  EXPECT_GT(times_s(drawn).back(), span - 20);
  EXPECT_EQ(drawn.counts.read, drawn.counts.kept);

  const auto part_of = [](const std::string& label) { return label.substr(0, label.find('/')); };
  const auto place_of = [](const std::string& label) {
    return static_cast<std::size_t>(std::stoul(label.substr(label.find('/') + 1)));
  };
  std::set<std::string> seen, windows;
  for (std::size_t i = 0; i < drawn.requests.size(); ++i) {
    const TraceRequest request = drawn.requests[i];
    ASSERT_TRUE(seen.insert(request.label).second);
    windows.insert(part_of(request.label));
    const TraceRequest from = trace.requests[place_of(request.label)];
    ASSERT_EQ(request.input_tokens, from.input_tokens);
    ASSERT_EQ(request.output_tokens, from.output_tokens);
    if (i == 0) continue;
    const TraceRequest before = drawn.requests[i - 1];
    if (part_of(before.label) != part_of(request.label)) continue;
    ASSERT_EQ(place_of(request.label), place_of(before.label) + 1);
    ASSERT_EQ(request.arrival - before.arrival,
              from.arrival - trace.requests[place_of(before.label)].arrival);
  }
  EXPECT_NEAR(static_cast<double>(windows.size()), std::ceil(span / 20), 2);
}

// Would catch: windows that are not equally likely from anywhere: the mean number of requests over
// many seeds is the trace's own, but for its ends.
TEST(Resample, KeepsTheRate) {
  const Trace trace = draw(2'000, "poisson:rate=10", kOneToken, 2);
  double sum = 0;
  constexpr int kSeeds = 200;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    sum += static_cast<double>(resample(trace, 5, seed).requests.size());
  }
  // 200 seeds of some 2,000 requests with a deviation of about the root: 4 errors are 13.
  EXPECT_NEAR(sum / kSeeds, 2'000, 13 + 2'000 * 0.01);
}

// Would catch: a request that is drawn twice and finds its own prompt in the prefix cache.
TEST(Resample, PromptsShareOnlyInsideAWindow) {
  Trace trace = read_text(kLines);
  const Trace drawn = resample(trace, 1.5, 5);
  std::set<std::pair<std::string, std::int64_t>> names;
  std::set<std::int64_t> different;
  for (const auto& request : drawn.requests) {
    for (const std::int64_t name : drawn.block_hashes.at(request.block_hashes)) {
      names.insert({request.label.substr(0, request.label.find('/')), name});
      different.insert(name);
    }
  }
  EXPECT_FALSE(names.empty());
  EXPECT_EQ(names.size(), different.size());
  EXPECT_THAT(message_of([&] { resample(trace, 3, 1); }), HasSubstr("must be shorter than"));
  EXPECT_THAT(message_of([&] { resample(trace, 1e-9, 1); }), HasSubstr("blocks of 1e-09 s"));
}

// Would catch: bounds and predictions that stay behind, lists of samples that are not scaled, names
// of blocks beyond a shorter prompt.
TEST(Scale, MultipliesRatesAndLengths) {
  Trace trace = read_text(kLines);
  scale_rate(trace, 2);
  EXPECT_THAT(times_s(trace), ElementsAre(0.5, 1, 1, 2));
  EXPECT_EQ(trace.requests[3].cancel_after, Duration(5));
  scale_lengths(trace, 0.4);
  EXPECT_THAT(prompts_of(trace), ElementsAre(16, 13, 13, 4));
  EXPECT_THAT(outputs_of(trace), ElementsAre(2, 2, 3, 1));
  EXPECT_THAT(trace.outputs.at(trace.requests[0].outputs), ElementsAre(2, 2));
  EXPECT_EQ(trace.requests[1].max_tokens, 4);
  EXPECT_THAT(trace.block_hashes.at(trace.requests[1].block_hashes), ElementsAre(7));
  Trace longer = read_text(kLines);
  scale_lengths(longer, 3);
  EXPECT_THAT(prompts_of(longer), ElementsAre(120, 99, 99, 30));
  EXPECT_THAT(longer.block_hashes.at(longer.requests[1].block_hashes), ElementsAre(7, 8, 9));
  Trace tokens = read_text(
      "{\"id\":\"e\",\"arrival_ns\":0,\"input_tokens\":2,\"output_tokens\":1,\"prompt_token_ids\":["
      "1,2]}\n");
  EXPECT_THAT(message_of([&] { scale_lengths(tokens, 2); }), HasSubstr("token ids"));
}

// Would catch: a run that replays the trace itself, seeds that share one resample, a resample that
// is not that of `trace resample`, and plans that are resampled too.
TEST(Resample, ARunTakesOneForEachSeed) {
  const TemporaryFolder folder;
  std::string rows = "id,arrival_ns,input_tokens,output_tokens\n";
  const Trace drawn = draw(400, "gamma:rate=2,cv=3", "fixed:prompt=1,output=20");
  for (const auto& r : drawn.requests) {
    rows += fmt::format("{},{},{},{}\n", r.label, (r.arrival - kOrigin).count(), r.input_tokens,
                        r.output_tokens);
  }
  const std::string trace = folder.write("t.csv", rows);
  RunPlan plan;
  plan.trace = trace;
  plan.policies = {"fcfs"};
  plan.quiet = true;
  plan.repeat = 3;
  plan.settings = {
      {"cost", folder.write("cost.json", R"({"kind":"linear","iteration_s":0.02})"), ""},
      {"kv-blocks", "10000", ""},
      {"resample", "blocks:10", ""}};
  const RunResults results = run(plan, nullptr);
  ASSERT_EQ(results.runs.size(), 3U);
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    EXPECT_EQ(results.runs[seed - 1].trace_digest, resample(read_trace(trace), 10, seed).digest);
  }
  plan.trace = R"({"requests":9,"arrivals":"poisson:rate=1","lengths":"alpaca-like"})";
  EXPECT_THAT(message_of([&] { run(plan, nullptr); }), HasSubstr("--resample is for recorded"));
  plan.trace = trace;
  plan.settings.back().value = "10";
  EXPECT_THAT(message_of([&] { run(plan, nullptr); }), HasSubstr("blocks:SECONDS"));
}

}  // namespace
}  // namespace tokenyard
