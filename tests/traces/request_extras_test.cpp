// What drawn requests have beside a time and two lengths.

#include "traces/request_extras.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "tests/traces/drawn.hpp"
#include "tests/traces/made_up_files.hpp"
#include "traces/prompt_hashes.hpp"
#include "traces/writer.hpp"

namespace tokenyard {
namespace {

using testing::HasSubstr;

WorkloadPlan plan_of(std::int64_t requests) {
  return {requests, "poisson:rate=5", "alpaca-like", {}};
}

// Would catch: prefixes that are not seen by a prefix cache, that are part of the prompt's own
// tokens, or that all requests share.
TEST(RequestExtras, SharedPrefixesAreFoundInTheCache) {
  WorkloadPlan plan = plan_of(2'000);
  const Trace plain = generate(plan, 1);
  plan.prefix = "shared:groups=4,tokens=100,share=0.5";
  const Trace trace = generate(plan, 1);
  std::map<BlockHash, int> prefixes;
  int alone = 0;
  for (std::size_t i = 0; i < trace.requests.size(); ++i) {
    const TraceRequest request = trace.requests[i];
    const auto hashes = prompt_hashes(trace, request, 16);
    const bool shared = !hashes.empty();
    EXPECT_EQ(request.input_tokens, plain.requests.input_tokens(i) + (shared ? 100 : 0));
    EXPECT_EQ(request.arrival, plain.requests.arrival(i));
    if (!shared) {
      ++alone;
      continue;
    }
    ASSERT_EQ(hashes.size(), 6U);  // whole blocks of 16 in 100 tokens
    ++prefixes[hashes.back()];
  }
  EXPECT_NEAR(alone, 1'000, 4 * std::sqrt(500.0));
  ASSERT_EQ(prefixes.size(), 4U);
  for (const auto& [hash, count] : prefixes) EXPECT_NEAR(count, 250, 4 * std::sqrt(219.0));

  const TemporaryFolder folder;
  write_trace(trace, folder.path("t.jsonl"));
  EXPECT_EQ(read_trace(folder.path("t.jsonl")).digest, trace.digest);
  EXPECT_THAT(message_of([&] { write_trace(trace, folder.path("t.csv")); }),
              HasSubstr("a CSV cannot hold"));
}

// Would catch: a popularity that is not k^-theta, and groups of two seeds with the same content.
TEST(RequestExtras, GroupsHaveTheirPopularity) {
  WorkloadPlan plan = plan_of(20'000);
  plan.prefix = "shared:groups=3,tokens=16,theta=1";
  const auto names = [&](std::uint64_t seed) {
    const Trace trace = generate(plan, seed);
    std::map<std::int64_t, double> counts;
    for (const auto& request : trace.requests) {
      ++counts[trace.block_hashes.at(request.block_hashes).front()];
    }
    return counts;
  };
  const auto first = names(1);
  std::vector<double> counts;
  for (const auto& [name, count] : first) counts.push_back(count);
  std::ranges::sort(counts, std::greater<>());
  ASSERT_EQ(counts.size(), 3U);
  constexpr double kSum = 1 + 0.5 + 1.0 / 3;
  for (std::size_t group = 0; group < 3; ++group) {
    const double share = 1 / (static_cast<double>(group + 1) * kSum);
    EXPECT_NEAR(counts[group] / 20'000, share, 4 * std::sqrt(share * (1 - share) / 20'000));
  }
  for (const auto& [name, count] : names(2)) EXPECT_FALSE(first.contains(name));
}

// Would catch: options that land in one another, shares that are ignored, an extra that shifts the
// draws of others.
TEST(RequestExtras, WidthsAndTenantsHaveTheirShares) {
  WorkloadPlan plan = plan_of(10'000);
  const Trace plain = generate(plan, 3);
  plan.n = "1:3/2:1";
  plan.best_of = "4";
  plan.tenants = "gold:1/free:4";
  const Trace trace = generate(plan, 3);
  double twos = 0, gold = 0;
  for (std::size_t i = 0; i < trace.requests.size(); ++i) {
    const TraceRequest request = trace.requests[i];
    twos += request.n == 2 ? 1 : 0;
    ASSERT_EQ(request.width(), 4);
    ASSERT_FALSE(request.beam_search());
    gold += trace.tenants[index(request.tenant)] == "gold" ? 1 : 0;
    ASSERT_EQ(request.input_tokens, plain.requests.input_tokens(i));
    ASSERT_EQ(request.arrival, plain.requests.arrival(i));
  }
  EXPECT_NEAR(twos, 2'500, 4 * std::sqrt(1'875.0));
  EXPECT_NEAR(gold, 2'000, 4 * std::sqrt(1'600.0));

  WorkloadPlan beams = plan_of(1'000);
  beams.beam_width = "1:1/4:1";
  beams.tenants = "3";
  const Trace beamed = generate(beams, 3);
  double wide = 0;
  for (const auto& request : beamed.requests) {
    wide += request.beam_search() ? 1 : 0;
    ASSERT_TRUE(request.width() == 4 || !request.beam_width);
  }
  EXPECT_NEAR(wide, 500, 4 * std::sqrt(250.0));
  EXPECT_THAT(beamed.tenants, testing::UnorderedElementsAre("tenant-0", "tenant-1", "tenant-2"));
}

// Would catch: two of these drawn from one stream, or one from that of the lengths or the gaps, so
// that long requests, say, are those with several samples. Each pair is as often on the same side
// of its middle as not: 5,000 times of 10,000, with a deviation of 50.
TEST(RequestExtras, DependOnNothingElse) {
  WorkloadPlan plan{10'000, "poisson:rate=1", "geometric:prompt=9,output_mean=1000", {}};
  plan.n = "1:1/2:1";
  plan.best_of = "3:1/4:1";
  plan.beam_width = "5:1/6:1";
  plan.tenants = "a:1/b:1";
  plan.prefix = "shared:groups=9,tokens=16,share=0.5";
  const Trace trace = generate(plan, 5);
  std::vector<std::vector<bool>> sides;
  Time before = kOrigin;
  for (const auto& request : trace.requests) {
    const double gap_s = to_seconds(request.arrival - before);
    before = request.arrival;
    sides.push_back({gap_s > std::log(2.0), request.output_tokens > 693, request.n == 2,
                     request.best_of == 4, request.beam_width == 6,
                     trace.tenants[index(request.tenant)] == "b", request.block_hashes.count > 0});
  }
  for (std::size_t a = 0; a < sides[0].size(); ++a) {
    for (std::size_t b = 0; b < a; ++b) {
      const auto same =
          std::ranges::count_if(sides, [&](const auto& side) { return side[a] == side[b]; });
      EXPECT_NEAR(static_cast<double>(same), 5000, 4.5 * 50) << a << " and " << b;
    }
  }
}

// Would catch: the factors applied twice, to the wrong side, or to a shared prefix.
TEST(RequestExtras, FactorsScaleTimesAndLengths) {
  WorkloadPlan plan = plan_of(500);
  const Trace plain = generate(plan, 1);
  plan.scale_rate = 4;
  plan.scale_lengths = 0.5;
  plan.prefix = "shared:groups=1,tokens=64";
  const Trace scaled = generate(plan, 1);
  for (std::size_t i = 0; i < 500; ++i) {
    EXPECT_NEAR(to_seconds(scaled.requests.arrival(i) - kOrigin) * 4,
                to_seconds(plain.requests.arrival(i) - kOrigin), 1e-8);
    EXPECT_EQ(
        scaled.requests.input_tokens(i),
        64 + std::max(1LL, std::llround(static_cast<double>(plain.requests.input_tokens(i)) / 2)));
  }
  plan.requests = 0;
  plan.duration_s = 10;
  const Trace timed = generate(plan, 1);
  EXPECT_LE(timed.requests.back().arrival - kOrigin, std::chrono::seconds(10));
  EXPECT_NEAR(static_cast<double>(timed.requests.size()), 200, 4 * std::sqrt(200.0));
}

// Would catch: values that are guessed at, and plans that name the wrong key.
TEST(RequestExtras, RefuseWhatCannotBe) {
  const auto plan = [](const std::string& keys) {
    return message_of([&] {
      read_workload_plan(R"({"requests":9,"arrivals":"burst:","lengths":"alpaca-like",)" + keys +
                         "}");
    });
  };
  EXPECT_EQ(plan(R"("n":2)"), "no InputError");
  EXPECT_THAT(plan(R"("n":0)"), HasSubstr("/n: n: expected an integer from 1 to 1024"));
  EXPECT_THAT(plan(R"("n":"1:1/1:2")"), HasSubstr("'1' is given twice"));
  EXPECT_THAT(plan(R"("n":"1:0")"), HasSubstr("all weights are 0"));
  EXPECT_THAT(plan(R"("n":"1:-1/2:3")"), HasSubstr("found '1:-1'"));
  EXPECT_THAT(plan(R"("n":"1/2")"), HasSubstr("VALUE:WEIGHT"));
  EXPECT_THAT(plan(R"("n":3,"best_of":2)"), HasSubstr("/best_of: best_of: 2 is less than n (3)"));
  EXPECT_THAT(plan(R"("n":3,"beam_width":"1:1/2:1")"), HasSubstr("/beam_width"));
  EXPECT_EQ(plan(R"("n":3,"beam_width":"1:1/4:1")"), "no InputError");
  EXPECT_THAT(plan(R"("tenants":0)"), HasSubstr("/tenants"));
  EXPECT_THAT(plan(R"("prefix":"shared:groups=2")"), HasSubstr("tokens: is required"));
  EXPECT_THAT(plan(R"("prefix":"shard:")"), HasSubstr("did you mean 'shared'"));
  EXPECT_THAT(plan(R"("scale_rate":0)"), HasSubstr("/scale_rate"));
  EXPECT_THAT(plan(R"("duration":-1)"), HasSubstr("/duration"));
  EXPECT_THAT(
      message_of([] { read_workload_plan(R"({"arrivals":"burst:","lengths":"alpaca-like"})"); }),
      HasSubstr("requests"));
}

}  // namespace
}  // namespace tokenyard
