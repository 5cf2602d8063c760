#include "experiments/record/summary.hpp"

#include <gtest/gtest.h>

#include "tests/experiments/made_up.hpp"

namespace tokenyard {
namespace {

using made_up::at_ms;
using made_up::finished;
using made_up::ms;
using made_up::rejected;

SummaryKey key_of(const std::string& policy, std::uint64_t seed = 1) {
  return {policy, policy, policy, "vllm", seed, false};
}

// Catches wrong definitions. Two requests: [0, 1000] ms with 10 tokens and [500, 2500] ms with 5,
// alone 500 and 400 ms; so slowdowns 2 and 5, throughput 2 and 15 over 2.5 s.
TEST(Summary, OfTwoRequestsByHand) {
  RecorderOptions options;
  options.alone = [](std::int64_t, std::int64_t tokens) { return ms(tokens == 10 ? 500 : 400); };
  Recorder recorder(options);
  auto second = finished(1, 500, 1000, 200, 800, 5);
  second.preemptions = 3;
  recorder.ended(finished(0, 0, 0, 100, 900, 10));
  recorder.ended(second);
  recorder.token_gaps(at_ms(100), ms(100), 9);
  recorder.token_gaps(at_ms(200), ms(200), 4);
  recorder.finish();
  const Summary summary = summarize(key_of("fcfs"), recorder);
  const auto value = [&](std::string_view name) { return summary.value(name).value(); };
  EXPECT_EQ(value("requests"), 2);
  EXPECT_EQ(value("completed"), 2);
  EXPECT_EQ(value("rejected"), 0);
  EXPECT_DOUBLE_EQ(value("duration_s"), 2.5);
  EXPECT_DOUBLE_EQ(value("request_throughput"), 0.8);
  EXPECT_DOUBLE_EQ(value("output_token_throughput"), 6);
  EXPECT_DOUBLE_EQ(value("mean_jct_s"), 1.5);
  EXPECT_DOUBLE_EQ(value("p50_jct_s"), 1);
  EXPECT_DOUBLE_EQ(value("p99_jct_s"), 2);
  EXPECT_DOUBLE_EQ(value("mean_ttft_s"), 0.65);
  EXPECT_DOUBLE_EQ(value("mean_tpot_s"), 0.15);
  EXPECT_DOUBLE_EQ(value("mean_normalized_latency_s"), 0.25);
  EXPECT_DOUBLE_EQ(value("mean_itl_s"), 1.7 / 13);
  EXPECT_DOUBLE_EQ(value("p90_itl_s"), 0.2);
  EXPECT_DOUBLE_EQ(value("mean_slowdown"), 3.5);
  EXPECT_DOUBLE_EQ(value("jain_fairness"), 49.0 / 58);
  EXPECT_EQ(value("preemptions"), 3);
  EXPECT_FALSE(summary.value("kv_utilization_mean"));
  EXPECT_FALSE(summary.value("no_such_name"));
}

// Catches fairness over requests where tenants are meant: tenant 0 has slowdowns 1 and 3, tenant 1
// has 2; both means are 2, which is perfectly fair.
TEST(Summary, FairnessIsBetweenTenants) {
  RecorderOptions options;
  options.alone = [](std::int64_t, std::int64_t) { return ms(100); };
  Recorder recorder(options);
  auto third = finished(2, 0, 0, 100, 100, 2);
  third.request.tenant = TenantId{1};
  recorder.ended(finished(0, 0, 0, 50, 50, 2));
  recorder.ended(finished(1, 0, 0, 100, 200, 2));
  recorder.ended(third);
  recorder.finish();
  EXPECT_DOUBLE_EQ(*summarize(key_of("fcfs"), recorder).value("jain_fairness"), 1);
}

// Catches rejected and cancelled requests in the latencies, and their absence from the counts.
TEST(Summary, LatenciesAreOfCompletedRequests) {
  Recorder recorder;
  RequestFacts cancelled;
  cancelled.request.id = RequestId{2};
  cancelled.end = End::cancelled;
  cancelled.ended = at_ms(9000);
  cancelled.output_tokens = 50;
  cancelled.phases[0] = ms(9000);
  recorder.ended(finished(0, 0, 0, 100, 900, 10));
  recorder.ended(rejected(1, 10));
  recorder.ended(cancelled);
  recorder.finish();
  const Summary summary = summarize(key_of("fcfs"), recorder);
  EXPECT_EQ(summary.value("requests"), 3);
  EXPECT_EQ(summary.value("completed"), 1);
  EXPECT_EQ(summary.value("rejected"), 1);
  EXPECT_EQ(summary.value("max_jct_s"), 1);
  EXPECT_DOUBLE_EQ(*summary.value("output_token_throughput"), 10.0 / 9);
}

// Catches a warm-up that is ignored, or that cuts by the end instead of the arrival.
TEST(Summary, LeavesOutWhatArrivedInTheWarmup) {
  RecorderOptions options;
  options.warmup = at_ms(100);
  Recorder recorder(options);
  recorder.ended(finished(0, 99, 0, 100, 5000, 10));
  recorder.ended(finished(1, 100, 0, 100, 900, 10));
  recorder.finish();
  const Summary summary = summarize(key_of("fcfs"), recorder);
  EXPECT_EQ(summary.value("requests"), 1);
  EXPECT_EQ(summary.value("mean_jct_s"), 1);
  EXPECT_EQ(summary.value("duration_s"), 1);
}

// Catches "nan" and "inf" in files: a run in which nothing completed has empty cells.
TEST(Summary, OfNothingHasEmptyCells) {
  Recorder recorder;
  recorder.ended(rejected(0, 0));
  recorder.finish();
  const Summary summary = summarize(key_of("a,b"), recorder);
  const std::string text = summary_csv({&summary, 1});
  EXPECT_EQ(text.find("nan"), std::string::npos);
  EXPECT_EQ(text.find("inf"), std::string::npos);
  EXPECT_NE(text.find("\"a,b\",\"a,b\",vllm,1,1,0,1,0,,,,"), std::string::npos) << text;
}

// Catches a renamed or moved column: the header is a promise.
TEST(Summary, CsvHasThePromisedColumns) {
  const std::string text = summary_csv({});
  EXPECT_EQ(text,
            "label,policy,system,seed,requests,completed,rejected,duration_s,request_throughput,"
            "output_token_throughput,"
            "mean_jct_s,p50_jct_s,p90_jct_s,p95_jct_s,p99_jct_s,max_jct_s,"
            "mean_ttft_s,p50_ttft_s,p90_ttft_s,p95_ttft_s,p99_ttft_s,max_ttft_s,"
            "mean_tpot_s,p50_tpot_s,p90_tpot_s,p95_tpot_s,p99_tpot_s,max_tpot_s,"
            "mean_itl_s,p50_itl_s,p90_itl_s,p95_itl_s,p99_itl_s,max_itl_s,"
            "mean_normalized_latency_s,p50_normalized_latency_s,p90_normalized_latency_s,"
            "p95_normalized_latency_s,p99_normalized_latency_s,max_normalized_latency_s,"
            "mean_slowdown,p50_slowdown,p90_slowdown,p95_slowdown,p99_slowdown,max_slowdown,"
            "preemptions,swaps_out,swaps_in,recomputed_tokens,kv_utilization_mean,batch_mean,"
            "jain_fairness,recomputed_token_share,cached_token_share,swap_time_share,"
            "kv_waste_mean,kv_saved_mean,stage_bubble_share,clairvoyant\n");
}

// Catches a share of the wrong whole. By hand: 600 tokens computed, 60 of them again; prompts of
// 200 tokens, 50 of them found; 2 s in the system, half a second of it waiting for copies; a
// rejected request counts in none.
TEST(Summary, SharesOfWorkPromptsAndTimeByHand) {
  Recorder recorder;
  Iteration iteration;
  iteration.slots.resize(2);
  iteration.load.add_prefill(500, 500);
  iteration.load.decode_sequences = 100;
  recorder.decided(at_ms(0), iteration, {});
  recorder.completed(at_ms(10), iteration);
  auto first = finished(0, 0, 0, 500, 500, 10);
  first.phases[2] = std::chrono::milliseconds(0);
  first.phases[static_cast<std::size_t>(Phase::swap)] = std::chrono::milliseconds(500);
  first.recomputed_tokens = 60;
  first.cached_tokens = 50;
  first.sequence_tokens = 25;
  recorder.ended(first);
  recorder.ended(finished(1, 0, 0, 500, 500, 10));
  recorder.ended(rejected(2, 0));
  recorder.finish();
  const Summary summary = summarize(key_of("fcfs"), recorder);
  EXPECT_EQ(summary.value("recomputed_token_share"), 0.1);
  EXPECT_EQ(summary.value("cached_token_share"), 0.25);
  EXPECT_EQ(summary.value("swap_time_share"), 0.25);
  EXPECT_EQ(summary.value("output_token_throughput"), 35);  // all sequences, in one second
}

// Would catch: a sum of times that runs over: five requests of 90 years, one of which waits for a
// copy all its life.
TEST(Summary, SharesOfMoreTimeThanAClockHolds) {
  constexpr int kLife_ms = 2'000'000'000, kLives = 1420;  // 90 years
  Recorder recorder;
  for (std::uint32_t i = 0; i < 5; ++i) {
    auto facts = finished(i, 0, 0, 0, kLife_ms, 2);
    facts.phases[2] *= kLives;
    facts.ended = at_ms(0) + facts.phases[2];
    if (i == 0) std::swap(facts.phases[2], facts.phases[static_cast<std::size_t>(Phase::swap)]);
    recorder.ended(facts);
  }
  recorder.finish();
  EXPECT_DOUBLE_EQ(*summarize(key_of("fcfs"), recorder).value("swap_time_share"), 0.2);
}

// Catches seeds that are not grouped: JCTs 1 s and 3 s make 2 ± t(1, 0.975) s/sqrt(2) = 12.706205
// (t of tables, s = sqrt(2)); the other policy has one seed and so no half-width.
TEST(Summary, IntervalsAreOverSeeds) {
  std::vector<Summary> summaries;
  const auto add = [&](const std::string& policy, std::uint64_t seed, std::int64_t decode) {
    Recorder recorder;
    recorder.ended(finished(0, 0, 0, 100, decode, 10));
    recorder.finish();
    summaries.push_back(summarize(key_of(policy, seed), recorder));
  };
  add("fcfs", 1, 900);
  add("srpt", 1, 400);
  add("fcfs", 2, 2900);
  const std::string text = summary_ci_csv(summaries);
  EXPECT_NE(text.find("label,policy,system,seeds,requests,requests_ci95_half_width,"),
            std::string::npos);
  EXPECT_NE(text.find(",mean_jct_s,mean_jct_s_ci95_half_width,"), std::string::npos);
  EXPECT_NE(text.find("fcfs,fcfs,vllm,2,1,0,"), std::string::npos) << text;
  EXPECT_NE(text.find(",2,12.7062"), std::string::npos) << text;
  EXPECT_NE(text.find("srpt,srpt,vllm,1,1,,1,,0,,0.5,,"), std::string::npos) << text;
}

}  // namespace
}  // namespace tokenyard
