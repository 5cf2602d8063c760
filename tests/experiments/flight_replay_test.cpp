// A scheduler that is fed what a record tells decides the same again.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/contract/policies_of_catalogue.hpp"
#include "tests/experiments/flights.hpp"
#include "tests/support/crowded_jobs.hpp"
#include "tests/support/integer_cost.hpp"

namespace tokenyard::test {
namespace {

using namespace std::chrono_literals;

/// One copy in three fails, or none.
ContentOptions some_options() {
  ContentOptions options;
  options.depth = *rc::gen::element(1, 1, 2, 3);
  if (*rc::gen::inRange(0, 2) == 0) {
    options.copy_fails = [](CopyId id) { return index(id) % 3 == 2; };
  }
  return options;
}

void expect_identical(const ReplayResult& result) {
  RC_LOG() << (result.difference ? result.difference->recorded + '\n' + result.difference->replayed
                                 : "");
  RC_ASSERT(!result.difference);
  RC_ASSERT(result.complete);
  RC_ASSERT(result.passes > 0);
}

class AnyPolicy : public testing::TestWithParam<std::string> {};

// Would catch: anything that a pass is fed and the record leaves out or the replay gets wrong:
// prompt hashes, contents of output blocks, parents of beams, lengths of samples, cancellations,
// failed copies, passes at one instant; a setting that does not come back from the first line; and
// a scheduler that depends on more than what it is fed.
TEST_P(AnyPolicy, DecidesTheSameAgainWhereBlocksAreScarce) {
  const made_up::ScratchFolder scratch;
  const auto file = scratch.path() / "flight.jsonl";
  EXPECT_TRUE(rc::check([&] {
    const auto jobs = crowded_jobs();
    ServerSettings settings = crowded_settings(jobs);
    settings.limits.chunk_tokens = 0;
    ContentOptions options = some_options();
    if (settings.limits.static_batching) options.depth = 1;
    flights::record(file, jobs, GetParam(), varied_cost(), settings, options.depth,
                    checking_content(jobs, settings, options));
    expect_identical(flights::replay_with(file, GetParam(), varied_cost()));
  }));
}

// Would catch: the ends of macro-steps left out, or put together wrongly; a record that depends on
// whether single steps are taken.
TEST_P(AnyPolicy, DecidesTheSameAgainInMacroSteps) {
  const made_up::ScratchFolder scratch;
  const auto file = scratch.path() / "flight.jsonl";
  EXPECT_TRUE(rc::check([&] {
    const auto jobs = random_jobs({.most_jobs = 12,
                                   .gap_ms = *rc::gen::element<std::int64_t>(2, 20, 200),
                                   .output = 60,
                                   .cancellations = true,
                                   .known_prompts = true});
    ServerSettings settings = random_settings();
    settings.limits.chunk_tokens = 0;
    settings.kv.device_blocks *= *rc::gen::element<std::int64_t>(1, 2, 20);
    std::vector<ReplayResult> results;
    for (const bool macro_steps : {true, false}) {
      settings.macro_steps = macro_steps;
      flights::record(file, jobs, GetParam(), varied_cost(), settings);
      results.push_back(flights::replay_with(file, GetParam(), varied_cost()));
      expect_identical(results.back());
    }
    RC_ASSERT(results[0].iterations == results[1].iterations);
    RC_ASSERT(results[0].passes <= results[1].passes);
  }));
}

INSTANTIATE_TEST_SUITE_P(Catalogue, AnyPolicy, testing::ValuesIn(policies_under_test()));
INSTANTIATE_TEST_SUITE_P(TakingTurns, AnyPolicy, testing::ValuesIn(turn_taking_policies()));

constexpr const char* kPlan =
    R"({"requests":60,"arrivals":"poisson:rate=8","lengths":"lognormal:prompt_mu=4,)"
    R"(prompt_sigma=1,output_mu=3,output_sigma=1,max=500"})";

struct Composed {
  const char* policy;
  std::map<std::string, std::string> settings;
};

class ComposedRun : public testing::TestWithParam<Composed> {};

// Would catch: a first line from which the policy, its guard, the predictor or the costs cannot be
// composed as they were.
TEST_P(ComposedRun, IsComposedAgainFromTheFirstLine) {
  const made_up::ScratchFolder scratch;
  for (const char* name : {"flight.jsonl", "flight.jsonl.gz"}) {
    const auto file = scratch.path() / name;
    auto settings = GetParam().settings;
    settings.insert({{"model", "opt-13b"}, {"device", "a100-40g"}, {"max-num-seqs", "8"}});
    flights::record_run(file, kPlan, GetParam().policy, settings);
    const ReplayResult result = flights::replay_file(file);
    EXPECT_FALSE(result.difference);
    EXPECT_TRUE(result.complete);
    EXPECT_GT(result.iterations, 60);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Runs, ComposedRun,
    testing::Values(
        Composed{"fcfs", {{"kv-blocks", "100"}, {"evict", "swap"}, {"host-blocks", "50"}}},
        Composed{"fcfs", {{"static-batching", "true"}}},
        Composed{"fcfs", {{"reserve", "pow2"}, {"watermark", "0.1"}}},
        Composed{"mlfq:ratio=3,promote_after_ms=200", {{"guard", "after_ms=50.5"}}},
        Composed{"skip-join-mlfq:demote=fit",
                 {{"kv-blocks", "100"}, {"evict", "cheaper"}, {"proactive-swap", "true"}}},
        Composed{"skip-join-mlfq",
                 {{"chunked-prefill", "32"}, {"look-past", "true"}, {"watermark", "recent:0.3"}}},
        Composed{"srpt:size=work", {{"predictor", "noisy:sigma=0.7"}, {"guard", "skips=3"}}},
        Composed{"srpt", {{"predictor", "mean"}, {"guard", "aging=0.25"}}}));

// Would catch: a record that needs its trace or its cost model file again; one of a trace that is
// read along without its digest; hashes of prompts that are lost.
TEST(FlightReplay, NeedsNothingButTheRecord) {
  const made_up::ScratchFolder scratch;
  const auto place = scratch.path();
  const std::string hashes = R"(,"block_hashes":[7,8,9]})";
  flights::write(place / "t.jsonl",
                 std::vector<std::string>{
                     R"({"meta":{"block_tokens":16}})",
                     R"({"id":1,"arrival_ns":0,"input_tokens":40,"output_tokens":30)" + hashes,
                     R"({"id":2,"arrival_ns":5000000,"input_tokens":40,"output_tokens":3)" + hashes,
                     R"({"id":3,"arrival_ns":6000000,"input_tokens":9,"output_tokens":[4,2],"n":2,)"
                     R"("max_tokens":9,"priority":-2,"tenant":"x","cancel_after_ns":4000000})"});
  flights::write(place / "cost.json", R"({"kind":"linear","iteration_s":0.001})");
  RunPlan plan;
  plan.trace = (place / "t.jsonl").string();
  plan.policies = {"srpt"};
  plan.quiet = true;
  plan.stream_bytes = 0;
  plan.record = (place / "flight.jsonl").string();
  const std::string cost = (place / "cost.json").string();
  for (const auto& [name, value] : std::map<std::string, std::string>{
           {"cost", cost}, {"kv-blocks", "40"}, {"enable-prefix-caching", "true"}}) {
    plan.settings.push_back({name, value, name});
  }
  run(plan, nullptr);
  std::filesystem::remove(cost);
  std::filesystem::remove(plan.trace);
  const ReplayResult result = flights::replay_file(plan.record);
  EXPECT_FALSE(result.difference);
  EXPECT_TRUE(result.complete);
  const std::string text = made_up::contents(plan.record);
  EXPECT_THAT(text, testing::HasSubstr(R"("trace_digest":")"));
  EXPECT_THAT(text, testing::HasSubstr(R"("prompt_hashes":")"));
  EXPECT_THAT(text, testing::HasSubstr(R"("cancel":2)"));
}

class EngineRun : public testing::TestWithParam<const char*> {};

// Would catch: what a real engine or a real clock feeds a scheduler and the record does not hold:
// ends and copies at any time, in any order, posted by another thread; costs that were measured at
// the start; contents of blocks that only the engine knows.
TEST_P(EngineRun, IsDecidedAgainWithoutTheEngine) {
  const made_up::ScratchFolder scratch;
  const auto file = scratch.path() / "flight.jsonl";
  flights::record_run(
      file, R"({"requests":24,"arrivals":"poisson:rate=60","lengths":"fixed:prompt=20,output=9"})",
      "srpt:size=work",
      {{"executor", "engine"},
       {"weights", "random:llama-tiny"},
       {"clock", GetParam()},
       {"threads", "2"},
       {"max-num-seqs", "6"},
       {"block-size", "4"},
       {"kv-blocks", "24"},
       {"host-blocks", "40"},
       {"evict", "cheaper"},
       {"proactive-swap", "true"},
       {"enable-prefix-caching", "true"}});
  const ReplayResult result = flights::replay_file(file);
  EXPECT_FALSE(result.difference);
  EXPECT_TRUE(result.complete);
  EXPECT_GE(result.iterations, 9);
  EXPECT_THAT(made_up::contents(file), testing::HasSubstr(R"("cost":{"kind":"linear")"));
}

INSTANTIATE_TEST_SUITE_P(Clocks, EngineRun, testing::Values("simulated", "wall"));

// Would catch: a record that is there only when its run has ended.
TEST(FlightReplay, WhatAStoppedRunLeavesIsReplayed) {
  const made_up::ScratchFolder scratch;
  for (const char* name : {"flight.jsonl", "flight.jsonl.gz"}) {
    const auto file = scratch.path() / name;
    {
      FlightHeader header;
      header.settings.server = ample();
      FlightRecord flight(file.string(), header, nullptr);
      flight.fed(at_ms(3), {});
      flight.passed(at_ms(3), {});
      flight.fed(at_ms(4), {});
    }
    const ReplayResult result = flights::replay_with(file, "fcfs", varied_cost());
    EXPECT_EQ(result.passes, 1);
    EXPECT_FALSE(result.difference);
    EXPECT_FALSE(result.complete);
  }
}

// Would catch: a plain file that lags behind its run by more than a second.
TEST(FlightReplay, WhatIsASecondOldIsInThePlainFile) {
  const made_up::ScratchFolder scratch;
  const auto file = scratch.path() / "flight.jsonl";
  FlightRecord flight(file.string(), {}, nullptr);
  flight.fed(at_ms(3), {});
  flight.fed(at_ms(1002), {});
  EXPECT_THAT(made_up::contents(file), testing::EndsWith("{\"fed_ns\":1002000000,\"due\":0}\n"));
}

}  // namespace
}  // namespace tokenyard::test
