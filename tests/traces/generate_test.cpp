// Drawn workloads: what their distributions are, and that a draw depends on nothing but its
// request.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/traces/drawn.hpp"
#include "tests/traces/made_up_files.hpp"
#include "traces/arrivals.hpp"
#include "traces/generate.hpp"
#include "traces/lengths.hpp"
#include "traces/writer.hpp"

namespace tokenyard {
namespace {

using testing::HasSubstr;

// Would catch: rate and mean gap confused, a wrong shape of the gamma. The tolerances are four
// standard errors (of a CV, generously, for the gamma).
TEST(Arrivals, HaveTheirRateAndVariation) {
  constexpr std::int64_t kRequests = 100'000;
  const Moments poisson = gaps_s(draw(kRequests, "poisson:rate=4", kOneToken));
  EXPECT_NEAR(poisson.mean, 0.25, 0.25 * 4 / std::sqrt(1e5));
  EXPECT_NEAR(poisson.cv, 1, 0.02);
  const Moments bursty = gaps_s(draw(kRequests, "gamma:rate=4,cv=2", kOneToken));
  EXPECT_NEAR(bursty.mean, 0.25, 0.25 * 2 * 4 / std::sqrt(1e5));
  EXPECT_NEAR(bursty.cv, 2, 0.08);
  const Moments calm = gaps_s(draw(kRequests, "gamma:rate=4,cv=0.5", kOneToken));
  EXPECT_NEAR(calm.mean, 0.25, 0.25 * 0.5 * 4 / std::sqrt(1e5));
  EXPECT_NEAR(calm.cv, 0.5, 0.01);
}

// Would catch: gaps that are not equal, or a burst that is spread.
TEST(Arrivals, UniformHasEqualGapsAndBurstNone) {
  const Trace uniform = draw(5, "uniform:rate=4", kOneToken);
  for (std::int64_t i = 0; i < 5; ++i) {
    EXPECT_EQ(uniform.requests[static_cast<std::size_t>(i)].arrival - kOrigin,
              std::chrono::milliseconds(250 * (i + 1)));
  }
  for (const auto& request : draw(5, "burst:", kOneToken).requests) {
    EXPECT_EQ(request.arrival, kOrigin);
  }
}

// Would catch: means that miss the published ones by more than 2 % (the sampling error at this size
// is below 0.4 %), and the filter left out.
TEST(Lengths, ResembleTheirDataSets) {
  const Trace chat = draw(200'000, "burst:", "sharegpt-like");
  EXPECT_NEAR(prompts(chat).mean, 161, 161 * 0.02);
  EXPECT_NEAR(outputs(chat).mean, 338, 338 * 0.02);
  for (const auto& request : chat.requests) {
    ASSERT_LE(request.input_tokens, 1024);
    ASSERT_LE(request.input_tokens + request.output_tokens, 2048);
  }
  const Trace instructions = draw(200'000, "burst:", "alpaca-like");
  EXPECT_NEAR(prompts(instructions).mean, 19, 19 * 0.02);
  EXPECT_NEAR(outputs(instructions).mean, 58, 58 * 0.02);
}

// Would catch: mu and sigma swapped between prompt and output, and `max` that clips only one.
TEST(Lengths, LognormalHasItsParametersAndClip) {
  const Trace trace = draw(
      100'000, "burst:", "lognormal:prompt_mu=5,prompt_sigma=0.5,output_mu=6,output_sigma=0.25");
  EXPECT_NEAR(prompts(trace).mean, std::exp(5 + 0.125), 2);
  EXPECT_NEAR(outputs(trace).mean, std::exp(6 + 0.03125), 2);
  const Trace clipped = draw(
      1000, "burst:", "lognormal:prompt_mu=5,prompt_sigma=1,output_mu=5,output_sigma=1,max=100");
  std::int64_t longest_prompt = 0;
  std::int64_t longest_output = 0;
  for (const auto& request : clipped.requests) {
    longest_prompt = std::max(longest_prompt, request.input_tokens);
    longest_output = std::max(longest_output, request.output_tokens);
  }
  EXPECT_EQ(longest_prompt, 100);
  EXPECT_EQ(longest_output, 100);
}

// Would catch: a geometric distribution on 0, 1, … instead of 1, 2, …: its mean would be one less.
TEST(Lengths, GeometricStartsAtOne) {
  const Trace trace = draw(100'000, "burst:", "geometric:prompt=3,output_mean=5");
  const Moments output = outputs(trace);
  EXPECT_NEAR(output.mean, 5, 4 * std::sqrt(20.0 / 1e5));
  EXPECT_NEAR(output.cv, std::sqrt(20.0) / 5, 0.02);
  EXPECT_EQ(prompts(trace).mean, 3);
  EXPECT_EQ(outputs(draw(10, "burst:", "geometric:prompt=3,output_mean=1")).mean, 1);
}

// Would catch: pairs torn apart, rows never drawn, zero rows drawn, traces not accepted.
TEST(Lengths, DatasetDrawsWholeRows) {
  const TemporaryFolder folder;
  const std::string lengths =
      folder.write("a=b,c.csv",
                   "num_prefill_tokens,num_decode_tokens,num_total_tokens,pd_ratio\n"
                   "10,1,11,10.0\n20,2,22,10.0\n0,5,5,0\n30,3,33,10.0\n");
  std::int64_t seen[4] = {};
  for (const auto& request : draw(3000, "burst:", "dataset:" + lengths).requests) {
    ASSERT_EQ(request.input_tokens, 10 * request.output_tokens);
    ++seen[request.output_tokens];
  }
  for (int row = 1; row <= 3; ++row) EXPECT_NEAR(static_cast<double>(seen[row]), 1000, 110);

  const std::string trace =
      folder.write("t.csv", "arrival_ns,input_tokens,output_tokens\n9,10,1\n1,20,2\n");
  EXPECT_EQ(make_lengths("dataset:" + trace)->draw(*std::make_unique<Rng>(1)).prompt % 10, 0);
  EXPECT_THAT(message_of([&] { make_lengths("dataset:" + folder.path("none")); }),
              HasSubstr("none: cannot be read"));
  EXPECT_EQ(message_of([] { make_lengths("dataset:"); }),
            "lengths dataset: a file is required, as in dataset:FILE");
}

// Would catch: one draw more that shifts another: requests, arrivals and lengths must be
// independent streams.
TEST(Generate, ARequestDependsOnItsOwnNumberAlone) {
  const Trace few = draw(50, "gamma:rate=2,cv=3", "sharegpt-like", 7);
  const Trace many = draw(500, "gamma:rate=2,cv=3", "sharegpt-like", 7);
  for (std::size_t i = 0; i < few.requests.size(); ++i) {
    ASSERT_EQ(few.requests[i], many.requests[i]);
  }
  const Trace other = draw(50, "poisson:rate=9", "sharegpt-like", 7);
  for (std::size_t i = 0; i < few.requests.size(); ++i) {
    ASSERT_EQ(few.requests[i].output_tokens, other.requests[i].output_tokens);
  }
  EXPECT_NE(draw(50, "gamma:rate=2,cv=3", "sharegpt-like", 8).digest, few.digest);
}

// Would catch: any change of the drawn workloads, for instance by another version of a library,
// which would change every seeded result. The committed sample is drawn again from its meta line.
TEST(Generate, SameSeedSameBytes) {
  const TemporaryFolder folder;
  const JsonObject plan = sample_plan();
  const Trace sample =
      draw(plan.integer("requests", 1, 10'000), plan.string("arrivals"), plan.string("lengths"),
           static_cast<std::uint64_t>(plan.integer("seed", 0, 1000)));
  write_trace(sample, folder.path("sample.jsonl"));
  EXPECT_EQ(test::file_content(folder.path("sample.jsonl")), test::file_content(kSample));
  write_trace(sample, folder.path("a.csv.gz"));
  write_trace(sample, folder.path("b.csv.gz"));
  EXPECT_EQ(test::file_content(folder.path("a.csv.gz")),
            test::file_content(folder.path("b.csv.gz")));
  EXPECT_EQ(draw(600, "poisson:rate=1", "sharegpt-like").digest, "1dda50fc2ae1565c");
  EXPECT_EQ(draw(600, "gamma:rate=1,cv=2", "alpaca-like").digest, "bd8dd934bd9ae0dc");
}

// Would catch: a specification that is guessed at.
TEST(Generate, RefusesBadSpecifications) {
  const auto arrivals = [](const std::string& spec) {
    return message_of([&] { make_arrivals(spec); });
  };
  EXPECT_EQ(arrivals("poison:rate=1"),
            "unknown arrivals 'poison' (did you mean 'poisson'?); known: poisson, gamma, weibull, "
            "uniform, burst, mmpp, diurnal, curve, closed, servegen");
  EXPECT_EQ(arrivals("poisson"), "arrivals poisson: rate: is required");
  EXPECT_THAT(arrivals("poisson:rate=0"), HasSubstr("rate"));
  EXPECT_THAT(arrivals("poisson:rate=-1"), HasSubstr("rate"));
  EXPECT_THAT(arrivals("poisson:rate=nan"), HasSubstr("rate"));
  EXPECT_THAT(arrivals("poisson:rate"), HasSubstr("key=value"));
  EXPECT_THAT(arrivals("poisson:rate=1,cv=2"), HasSubstr("'cv'"));
  EXPECT_THAT(arrivals("gamma:rate=1,cv=0"), HasSubstr("cv"));
  EXPECT_THAT(message_of([] { make_lengths("fixed:prompt=1"); }), HasSubstr("output: is required"));
  EXPECT_THAT(message_of([] { make_lengths("fixed:prompt=1.5,output=1"); }), HasSubstr("prompt"));
  EXPECT_THAT(message_of([] { make_lengths("fixed:prompt=0,output=1"); }), HasSubstr("prompt"));
  EXPECT_THAT(message_of([] { make_lengths(""); }), HasSubstr("unknown lengths ''"));
  EXPECT_THAT(message_of([] { draw(0, "burst:", kOneToken); }), HasSubstr("requests: 0"));
  EXPECT_THAT(message_of([] { draw(4000, "uniform:rate=1e-6", kOneToken); }),
              HasSubstr("after more than 100 years"));
}

// Would catch: a generator without help, or one that is listed but cannot be made.
TEST(Generate, ListsEveryGeneratorWithItsParameters) {
  for (const auto& help : {list_arrivals(), list_lengths()}) {
    ASSERT_GE(help.size(), 4U);
    for (const auto& row : help) {
      EXPECT_FALSE(row.summary.empty()) << row.name;
      for (const auto& parameter : row.parameters) EXPECT_FALSE(parameter.help.empty()) << row.name;
    }
  }
  EXPECT_EQ(list_arrivals()[1].parameters[0].fallback, "required");
  EXPECT_EQ(list_arrivals()[1].parameters[1].fallback, "1");
}

// Would catch: a plan with a misspelt or missing key that runs with a default, and errors without
// the place.
TEST(WorkloadPlans, AreStrict) {
  const TemporaryFolder folder;
  const auto plan = [&folder](const std::string& text) {
    return message_of([&] { read_workload_plan(folder.write("p.json", text)); });
  };
  const std::string good =
      R"({"requests":4000,"arrivals":"poisson:rate=3.6","lengths":"sharegpt-like"})";
  const WorkloadPlan read = read_workload_plan(folder.write("p.json", good));
  EXPECT_EQ(read.requests, 4000);
  EXPECT_EQ(read.arrivals, "poisson:rate=3.6");
  EXPECT_EQ(read.lengths, "sharegpt-like");
  EXPECT_EQ(read.seed, std::nullopt);
  EXPECT_THAT(plan(R"({"requests":4000,"arrivals":"burst:"})"), HasSubstr("lengths"));
  EXPECT_THAT(plan(R"({"requests":4000,"arrivals":"burst:","lengths":"alpaca-like","rate":1})"),
              HasSubstr("rate"));
  EXPECT_THAT(plan(R"({"requests":0,"arrivals":"burst:","lengths":"alpaca-like"})"),
              HasSubstr("requests"));
  EXPECT_THAT(plan(R"({"requests":1.5,"arrivals":"burst:","lengths":"alpaca-like"})"),
              HasSubstr("requests"));
  EXPECT_THAT(
      plan(R"({"requests":4,)"
           "\n"
           R"("arrivals":"poisson:rate=0","lengths":"alpaca-like"})"),
      testing::AllOf(testing::StartsWith("p.json:2: "), HasSubstr("arrivals poisson: rate")));
}

// Would catch: a plan given as text that is taken for a path, or read less strictly than a file.
TEST(WorkloadPlans, AreReadFromTheirTextToo) {
  const std::string text = R"({"requests":7,"arrivals":"burst:","lengths":"alpaca-like"})";
  EXPECT_TRUE(is_workload_plan(text));
  EXPECT_EQ(read_workload_plan(text).requests, 7);
  EXPECT_THAT(message_of([] { read_workload_plan(R"({"requests":7,"arrival":"burst:"})"); }),
              testing::StartsWith("workload plan:1: "));
}

// Would catch: a trace taken for a plan or the other way round.
TEST(WorkloadPlans, AreToldFromTraces) {
  const TemporaryFolder folder;
  EXPECT_TRUE(is_workload_plan(folder.write("p.json", "{\"requests\":1}")));
  EXPECT_TRUE(is_workload_plan(folder.path("absent.json")));
  EXPECT_TRUE(is_workload_plan(folder.write("empty.json", "")));
  EXPECT_FALSE(is_workload_plan(folder.write("list.json", "\n  [1,2]")));
  EXPECT_FALSE(is_workload_plan(folder.write("t.jsonl", "{}")));
  EXPECT_FALSE(is_workload_plan(folder.write(
      "bench.json", R"({"request_throughput": 1, "total_input_tokens": 2, "input_lens": [2]})")));
}

}  // namespace
}  // namespace tokenyard
