// Length distributions against their formulas, and the copula against its rank correlation.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tests/traces/drawn.hpp"
#include "tests/traces/made_up_files.hpp"
#include "traces/lengths.hpp"

namespace tokenyard {
namespace {

using testing::HasSubstr;

/// Ranks from 1, means of ranks where values are equal.
std::vector<double> ranks(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::sort(order, {}, [&](std::size_t at) { return values[at]; });
  std::vector<double> ranked(values.size());
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin;
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    for (std::size_t i = begin; i < end; ++i) {
      ranked[order[i]] = static_cast<double>(begin + end + 1) / 2;
    }
    begin = end;
  }
  return ranked;
}

double spearman(const Trace& trace) {
  const std::vector<double> a = ranks(prompts_of(trace));
  const std::vector<double> b = ranks(outputs_of(trace));
  const double middle = static_cast<double>(a.size() + 1) / 2;
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab += (a[i] - middle) * (b[i] - middle);
    aa += (a[i] - middle) * (a[i] - middle);
    bb += (b[i] - middle) * (b[i] - middle);
  }
  return ab / std::sqrt(aa * bb);
}

// Would catch: an exponent of another sign or shifted by one, a range that lacks an end, a ratio
// the other way round. Each frequency is known within four standard errors.
TEST(LengthLaws, ZipfOfTheTotal) {
  const Trace trace = draw(100'000, "burst:", "zipf:theta=0.9,min=10,max=29,prompt_to_output=4");
  std::vector<double> counts(20);
  for (const auto& request : trace.requests) {
    const std::int64_t total = request.input_tokens + request.output_tokens;
    ASSERT_GE(total, 10);
    ASSERT_LE(total, 29);
    ++counts[static_cast<std::size_t>(total - 10)];
    ASSERT_EQ(request.output_tokens, std::llround(static_cast<double>(total) / 5));
  }
  double sum = 0;
  for (int rank = 1; rank <= 20; ++rank) sum += std::pow(rank, -0.9);
  for (int rank = 1; rank <= 20; ++rank) {
    const double share = std::pow(rank, -0.9) / sum;
    EXPECT_NEAR(counts[static_cast<std::size_t>(rank - 1)] / 1e5, share,
                4 * std::sqrt(share * (1 - share) / 1e5))
        << rank;
  }
}

// Would catch: a total that leaves no token for one of the two.
TEST(LengthLaws, ZipfLeavesATokenToEach) {
  for (const auto& request :
       draw(1000, "burst:", "zipf:theta=0.5,min=2,max=9,prompt_to_output=100").requests) {
    ASSERT_GE(request.input_tokens, 1);
    ASSERT_EQ(request.output_tokens, 1);
  }
}

// Would catch: one draw for both, and a law that is not the same for prompt and output.
TEST(LengthLaws, ZipfOfEach) {
  const Trace trace = draw(100'000, "burst:", "zipf:theta=1.2,min=1,max=100,of=each");
  double sum = 0, mean = 0, square = 0;
  for (int tokens = 1; tokens <= 100; ++tokens) {
    const double weight = std::pow(tokens, -1.2);
    sum += weight;
    mean += weight * tokens;
    square += weight * tokens * tokens;
  }
  mean /= sum;
  const double error = std::sqrt((square / sum - mean * mean) / 1e5);
  EXPECT_NEAR(prompts(trace).mean, mean, 4 * error);
  EXPECT_NEAR(outputs(trace).mean, mean, 4 * error);
  EXPECT_NEAR(spearman(trace), 0, 4 / std::sqrt(1e5));
}

// Would catch: a tail index that is off by one, an unbounded law that is clipped (which would pile
// up at the longest), sides swapped. Mean of the law: L^a / (1 - (L/H)^a) x a / (a - 1) x
// (L^(1-a) - H^(1-a)), here 393.46 and 133.42 with standard deviations of 685 and 205.
TEST(LengthLaws, ParetoHasItsMeanAndBounds) {
  const Trace trace = draw(100'000, "burst:",
                           "pareto:prompt_alpha=1.1,prompt_min=100,prompt_max=8000,"
                           "output_alpha=1.5,output_min=50,output_max=4000");
  EXPECT_NEAR(prompts(trace).mean, 393.459, 4 * 685 / std::sqrt(1e5));
  EXPECT_NEAR(outputs(trace).mean, 133.416, 4 * 205 / std::sqrt(1e5));
  std::int64_t longest = 0;
  for (const auto& request : trace.requests) {
    ASSERT_GE(request.input_tokens, 100);
    ASSERT_LE(request.input_tokens, 8000);
    longest += request.input_tokens >= 7900 ? 1 : 0;
  }
  EXPECT_LT(longest, 40);  // some 12 are expected; clipping would make 800
}

// Would catch: another measure of correlation than the one that is promised, a sign that is lost,
// and a copula that changes the lengths themselves.
TEST(LengthLaws, CorrelationIsSpearmans) {
  const std::string lognormal =
      "lognormal:prompt_mu=6,prompt_sigma=1,output_mu=5,output_sigma=0.8,correlation=";
  const std::string pareto =
      "pareto:prompt_alpha=1.1,prompt_min=100,prompt_max=8000,output_alpha=1.5,output_min=50,"
      "output_max=4000,correlation=";
  const std::string zipf = "zipf:theta=0.3,min=1,max=2000,of=each,correlation=";
  constexpr int kDrawn = 200'000;
  for (const std::string& law : {lognormal, pareto, zipf}) {
    for (const double wanted : {-0.9, 0.0, 0.5}) {
      const Trace trace = draw(kDrawn, "burst:", law + format_number(wanted));
      EXPECT_NEAR(spearman(trace), wanted, 4 / std::sqrt(1.0 * kDrawn)) << law << wanted;
    }
  }
  EXPECT_GT(spearman(draw(kDrawn, "burst:", lognormal + "1")), 0.999);
  const double mean = std::exp(5 + 0.32);
  const double deviation = mean * std::sqrt(std::exp(0.64) - 1);
  EXPECT_NEAR(outputs(draw(kDrawn, "burst:", lognormal + "0.7")).mean, mean,
              4 * deviation / std::sqrt(1.0 * kDrawn));
  // Prompts are drawn first, whatever follows.
  EXPECT_EQ(prompts_of(draw(100, "burst:", lognormal + "0.7")),
            prompts_of(draw(100, "burst:", lognormal + "0")));
}

// Would catch: lognormal lengths of a seed that are no longer those of earlier versions.
TEST(LengthLaws, LognormalLengthsOfASeedStay) {
  EXPECT_EQ(draw(5000, "uniform:rate=1",
                 "lognormal:prompt_mu=5,prompt_sigma=1,output_mu=4,output_sigma=0.5,max=900")
                .digest,
            "82e75c44261ad320");
}

// Would catch: parameters that contradict one another and are taken.
TEST(LengthLaws, RefuseWhatCannotBe) {
  expect_refusals([](const std::string& spec) { make_lengths(spec); },
                  {{"zipf:theta=1,min=5", "max: is required"},
                   {"zipf:theta=1,min=5,max=4", "max: expected from min"},
                   {"zipf:theta=1,min=2,max=2000000000", "max: expected from min"},
                   {"zipf:theta=1,min=1,max=9", "min: a prompt and an output"},
                   {"zipf:theta=1,min=2,max=9,correlation=0.5", "goes with of=each"},
                   {"zipf:theta=1,min=2,max=9,of=each,prompt_to_output=2", "goes with of=total"},
                   {"pareto:prompt_alpha=1,prompt_min=9,prompt_max=8,output_alpha=1,"
                    "output_min=1,output_max=2",
                    "prompt_max: is below prompt_min"},
                   {"lognormal:prompt_mu=1,prompt_sigma=1,output_mu=1,output_sigma=1,"
                    "correlation=1.5",
                    "correlation"}});
  EXPECT_THAT(message_of([] { draw(1, "burst:", "servegen"); }),
              HasSubstr("need arrivals that bring them"));
  EXPECT_THAT(message_of([] { draw(1, "burst:", ""); }), HasSubstr("lengths: is required"));
}

}  // namespace
}  // namespace tokenyard
