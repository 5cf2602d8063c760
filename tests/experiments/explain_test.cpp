// `explain` on result folders of the program's own making.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "experiments/cli/explain_command.hpp"
#include "experiments/explain/explanation_csv.hpp"
#include "experiments/explain/recorded_flight.hpp"
#include "experiments/explain/request_classes.hpp"
#include "experiments/report/result_reader.hpp"
#include "experiments/run.hpp"
#include "sim/kernel/input_error.hpp"
#include "tests/experiments/made_up.hpp"

namespace tokenyard {
namespace {

using testing::HasSubstr;

class Explain : public testing::Test {
 protected:
  std::string place(const std::string& name) const { return (scratch_.path() / name).string(); }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(place(name), std::ios::binary) << text;
  }

  /// A trace of three requests on a server that takes one at a time, 10 ms a token and 1 ms a
  /// prompt token.
  std::string small_results() const {
    write("trace.csv",
          "id,arrival_ns,input_tokens,output_tokens,tenant\n"
          "long,0,100,20,batch\nshort,50000000,10,2,chat\nlast,400000000,10,2,chat\n");
    write("cost.json", R"({"kind":"linear","iteration_s":0.01,"prefill_token_s":0.001})");
    return results(
        "small", place("trace.csv"),
        {{"cost", place("cost.json"), ""}, {"kv-blocks", "100", ""}, {"max-num-seqs", "1", ""}});
  }

  std::string results(const std::string& name, const std::string& trace,
                      std::vector<GivenSetting> settings,
                      std::vector<std::string> policies = {"fcfs"}, std::int64_t seeds = 1) const {
    RunPlan plan;
    plan.trace = trace;
    plan.policies = std::move(policies);
    plan.settings = std::move(settings);
    plan.repeat = seeds;
    plan.quiet = true;
    ResultFolder folder(place(name));
    run(plan, &folder);
    folder.commit();
    return place(name);
  }

  static std::string refusal(const std::string& folder, const std::string& trace = "") {
    try {
      const RecordedRuns runs(folder, trace);
      explain_classes(runs, runs.find(runs.labels().front()), "output");
    } catch (const InputError& error) {
      return error.what();
    }
    return "not refused";
  }

  made_up::ScratchFolder scratch_;
};

// Would catch: waiting given to the wrong request or time, or a life with gaps.
TEST_F(Explain, TellsARequestsLife) {
  const RecordedRuns runs(small_results());
  const auto told = explain_request(runs, runs.find("fcfs"), "short");
  // The long one runs until 110 + 19 x 10 = 300 ms, the short one until 330 ms.
  EXPECT_EQ(told.waited.first_turn, made_up::ms(250));
  EXPECT_EQ(told.waited.later, Duration{0});
  EXPECT_EQ(told.behind_nobody.total(), Duration{0});
  ASSERT_EQ(told.behind.size(), 1U);
  EXPECT_EQ(told.behind[0].request, "long");
  EXPECT_EQ(told.behind[0].wait.total(), made_up::ms(250));
  ASSERT_EQ(told.life.size(), 3U);
  EXPECT_EQ(told.life[0].from, made_up::at_ms(50));
  EXPECT_EQ(told.life[1].from, told.life[0].until);
  EXPECT_EQ(told.life[2].phase, Phase::decode);
  EXPECT_EQ(told.life[2].until, made_up::at_ms(330));
  const std::string text = explanation_text(told, 10);
  EXPECT_THAT(text, HasSubstr("request short under fcfs"));
  EXPECT_THAT(text, HasSubstr("0.250000000"));
  const auto alone = explain_request(runs, runs.find("fcfs"), "last");
  EXPECT_THAT(explanation_text(alone, 10), HasSubstr("It never waited."));
}

// Would catch: rows and columns exchanged, or a class that takes another's requests.
TEST_F(Explain, TellsWhichClassWaitsBehindWhich) {
  const RecordedRuns runs(small_results());
  const auto by_output = explain_classes(runs, runs.find("fcfs"), "output");
  ASSERT_EQ(by_output.classes.size(), 2U) << "1-16 and 17-64";
  EXPECT_EQ(by_output.classes[0].name, "1-16");
  EXPECT_EQ(by_output.classes[0].requests, 2);
  EXPECT_TRUE(by_output.classes[0].behind(1) == made_up::ms(250).count());
  EXPECT_TRUE(by_output.classes[0].waited() == made_up::ms(250).count());
  EXPECT_TRUE(by_output.classes[1].waited() == 0);
  EXPECT_TRUE(by_output.classes[1].ran == made_up::ms(300).count());
  const auto by_tenant = explain_classes(runs, runs.find("fcfs"), "tenant");
  EXPECT_EQ(by_tenant.classes[0].name, "chat") << "the one with more requests comes first";
  const auto json = nlohmann::json::parse(explanation_json(by_output));
  EXPECT_EQ(json["classes"][0]["behind"][1]["first_turn_ns"], 250'000'000);
}

// Would catch: a run that is composed otherwise than it was: settings, costs, guard, predictor,
// seeds, limit or rate that run.json loses. Each must end with the same requests.csv.
TEST_F(Explain, RunsWhateverRunCanRun) {
  const std::string plan =
      R"({"requests":150,"arrivals":"poisson:rate=3","lengths":"sharegpt-like"})";
  const std::string folder = results("mixed", plan,
                                     {{"model", "opt-13b", ""},
                                      {"device", "a100-40g", ""},
                                      {"kv-blocks", "300", ""},
                                      {"evict", "swap", ""},
                                      {"proactive-swap", "true", ""},
                                      {"predictor", "noisy:sigma=0.5", ""},
                                      {"guard", "after_ms=500", ""},
                                      {"request-rate", "2.5", ""},
                                      {"limit", "120", ""}},
                                     {"srpt", "skip-join-mlfq:promote_after_ms=300"}, 2);
  const RecordedRuns runs(folder);
  ASSERT_EQ(runs.labels().size(), 4U);
  for (const std::string& label : runs.labels()) {
    const auto told = explain_request(runs, runs.find(label), "60");
    Duration behind = told.behind_nobody.total();
    for (const Blocker& blocker : told.behind) behind += blocker.wait.total();
    EXPECT_EQ(behind, told.waited.total()) << label;
    // On a simulated clock an iteration follows the other: who waits is held back or evicted.
    Duration apart{0};
    for (const Phase phase : {Phase::preempted, Phase::swap}) {
      apart += told.facts.phases[static_cast<std::size_t>(phase)];
    }
    EXPECT_EQ(told.recomputing, apart - told.waited.later) << label;
  }
}

/// The waiting of a request and of its parts must be the same to the nanosecond.
void expect_exact_sums(const RequestExplanation& told) {
  Wait sum = told.behind_nobody;
  for (const Blocker& blocker : told.behind) {
    sum.first_turn += blocker.wait.first_turn;
    sum.later += blocker.wait.later;
  }
  EXPECT_EQ(sum.first_turn, told.waited.first_turn);
  EXPECT_EQ(sum.later, told.waited.later);
  EXPECT_EQ(told.waited.first_turn, told.facts.phases[static_cast<std::size_t>(Phase::queue)]);
  Duration lived{0};
  Time at = told.facts.request.arrival;
  for (const PhaseSpan& span : told.life) {
    EXPECT_EQ(span.from, at);
    lived += span.until - span.from;
    at = span.until;
  }
  EXPECT_EQ(lived, told.facts.ended - told.facts.request.arrival);
}

// Would catch: a replay that its observer sees otherwise than the run, requests or tenants of a
// record under wrong numbers, and recomputation booked as waiting.
TEST_F(Explain, SaysTheSameOfARunAndOfItsRecord) {
  RunPlan plan;
  plan.trace = R"({"requests":150,"arrivals":"poisson:rate=8","lengths":"sharegpt-like"})";
  plan.policies = {"skip-join-mlfq:promote_after_ms=300"};
  plan.settings = {{"model", "opt-13b", ""}, {"device", "a100-40g", ""}, {"kv-blocks", "300", ""}};
  plan.quiet = true;
  plan.record = place("flight.jsonl.gz");
  ResultFolder folder(place("both"));
  run(plan, &folder);
  folder.commit();
  const RecordedRuns runs(place("both"));
  const RecordedRun run = runs.find(runs.labels().front());
  const RecordedFlight flight(plan.record);
  for (const char* request : {"0", "60", "149"}) {
    auto of_run = explain_request(runs, run, request);
    const auto of_record = explain_request(flight.run(), request);
    expect_exact_sums(of_record);
    of_run.run = of_record.run;
    EXPECT_EQ(explanation_json(of_run), explanation_json(of_record));
  }
  EXPECT_GT(explain_request(flight.run(), "60").waited.later, Duration{0});
  for (const char* by : {"output", "prompt", "priority"}) {
    auto of_run = explain_classes(runs, run, by);
    const auto of_record = explain_classes(flight.run(), by);
    of_run.run = of_record.run;
    EXPECT_EQ(explanation_json(of_run), explanation_json(of_record));
  }
  EXPECT_THROW(explain_request(flight.run(), "150"), InputError);
}

// Would catch: time on a wall clock that nobody answers for: between an iteration's end and the
// moment it is noticed, and of requests that came meanwhile.
TEST_F(Explain, AccountsForALiveRun) {
  const std::string record = place("live.jsonl");
  RunPlan plan;
  plan.trace =
      R"({"requests":24,"arrivals":"poisson:rate=500","lengths":"fixed:prompt=20,output=9"})";
  plan.policies = {"srpt"};
  plan.settings = {
      {"executor", "engine", ""}, {"clock", "wall", ""},     {"weights", "random:llama-tiny", ""},
      {"threads", "1", ""},       {"max-num-seqs", "3", ""}, {"block-size", "4", ""},
      {"kv-blocks", "24", ""}};
  plan.quiet = true;
  plan.record = record;
  run(plan, nullptr);
  const RecordedFlight flight(record);
  for (int id = 0; id < 24; ++id) {
    const auto told = explain_request(flight.run(), std::to_string(id));
    expect_exact_sums(told);
    EXPECT_GE(told.recomputing, Duration{0});
    EXPECT_EQ(told.facts.output_tokens, 9);
  }
  // All requests belong to one class, and its waiting is theirs.
  const auto classes = explain_classes(flight.run(), "output");
  ASSERT_EQ(classes.classes.size(), 1U);
  WideInteger waited = 0;
  for (int id = 0; id < 24; ++id) {
    waited += explain_request(flight.run(), std::to_string(id)).waited.total().count();
  }
  EXPECT_TRUE(waited > 0);
  EXPECT_TRUE(classes.classes[0].waited() == waited);
}

// Would catch: an answer that leaves out those who never ended, or that explains another run.
TEST_F(Explain, RefusesRecordsThatTellTooLittle) {
  RunPlan plan;
  plan.trace = R"({"requests":9,"arrivals":"poisson:rate=8","lengths":"fixed:prompt=9,output=4"})";
  plan.policies = {"fcfs"};
  plan.settings = {{"model", "opt-13b", ""}, {"device", "a100-40g", ""}};
  plan.quiet = true;
  plan.record = place("flight.jsonl");
  run(plan, nullptr);
  const std::string text = made_up::contents(plan.record);
  const auto refusal_of = [&](const std::string& record) -> std::string {
    write("other.jsonl", record);
    try {
      const RecordedFlight flight(place("other.jsonl"));
    } catch (const InputError& error) {
      return error.what();
    }
    return "not refused";
  };
  EXPECT_EQ(refusal_of(text), "not refused");
  EXPECT_THAT(refusal_of(text.substr(0, text.size() - 20)), HasSubstr("breaks off"));
  std::string other = text;
  other.replace(other.find("\"fcfs\""), 6, "\"mlfq\"");
  const std::string refused = refusal_of(other);
  EXPECT_TRUE(refused == "not refused" || refused.find("otherwise") != std::string::npos);
  other = text;
  other.replace(other.find("\"depth\":1"), 9, "\"depth\":2");
  EXPECT_THAT(refusal_of(other), HasSubstr("several iterations"));
}

// Would catch: tables that leave out a part, so that their columns no longer add up.
TEST_F(Explain, WritesTablesThatAddUp) {
  const RecordedRuns runs(small_results());
  ExplanationTables tables;
  tables.add(explain_request(runs, runs.find("fcfs"), "short"));
  EXPECT_EQ(tables.waterfall,
            "label,request_id,phase,from_s,until_s,duration_s\n"
            "fcfs,short,queue,0.050000000,0.300000000,0.250000000\n"
            "fcfs,short,prefill,0.300000000,0.320000000,0.020000000\n"
            "fcfs,short,decode,0.320000000,0.330000000,0.010000000\n");
  EXPECT_EQ(tables.behind,
            "label,request_id,behind,prompt_tokens,output_tokens,arrival_s,first_turn_s,later_s,"
            "waited_s\n"
            "fcfs,short,long,100,20,0.000000000,0.250000000,0.000000000,0.250000000\n");
  RequestExplanation evicted;
  evicted.run = "a,b";
  evicted.request = "7";
  evicted.behind = {{"8", 3, 4, made_up::at_ms(5), {made_up::ms(1), made_up::ms(2)}}};
  evicted.behind_nobody = {Duration(1), Duration(2)};
  tables.add(evicted);
  EXPECT_THAT(tables.behind, HasSubstr("\n\"a,b\",7,8,3,4,0.005000000,0.001000000,0.002000000,"
                                       "0.003000000\n\"a,b\",7,,,,,0.000000001,0.000000002,"
                                       "0.000000003\n"));
  tables.add(explain_classes(runs, runs.find("fcfs"), "output"));
  EXPECT_EQ(tables.classes,
            "label,by,class,requests,ran_s,waited_s\n"
            "fcfs,output,1-16,2,0.060000000,0.250000000\n"
            "fcfs,output,17-64,1,0.300000000,0.000000000\n");
  EXPECT_THAT(tables.delays, HasSubstr("fcfs,output,1-16,17-64,0.250000000,0.000000000,0.25"));
  EXPECT_THAT(tables.delays, HasSubstr("fcfs,output,17-64,,0.000000000,0.000000000,0.0"));
}

// Would catch: tables written over the results that they explain, half-written ones, and a report
// that takes them for results.
TEST_F(Explain, CommandWritesTablesBesideTheResults) {
  const std::string folder = small_results();
  const std::string before = made_up::contents(folder + "/fcfs/requests.csv");
  for (const std::string& out : {folder, folder + "/.", scratch_.path().string()}) {
    EXPECT_THROW(run_explain_command({folder, "--out", out, "--quiet"}), InputError) << out;
  }
  EXPECT_THROW(run_explain_command({folder, "--request", "none", "--out", place("why")}),
               InputError);
  EXPECT_FALSE(std::filesystem::exists(place("why")));
  EXPECT_EQ(run_explain_command({folder, "--out", place("why"), "--quiet"}), 0);
  EXPECT_THAT(made_up::contents(place("why/delays.csv")), HasSubstr("fcfs,output,1-16,17-64,0.25"));
  EXPECT_EQ(run_explain_command({folder, "--request", "short", "--out", place("why"), "--quiet"}),
            0);
  EXPECT_FALSE(std::filesystem::exists(place("why/delays.csv")));
  EXPECT_THAT(made_up::contents(place("why/behind.csv")), HasSubstr("fcfs,short,long,100,20,0.0"));
  EXPECT_THROW(read_result_folder(place("why")), InputError);
  EXPECT_EQ(made_up::contents(folder + "/fcfs/requests.csv"), before);
}

// Would catch: an explanation of another run than the one recorded.
TEST_F(Explain, RefusesWhatItCannotRunAgain) {
  const std::string folder = small_results();
  EXPECT_EQ(refusal(folder), "not refused");
  EXPECT_THAT(refusal(place("nowhere")), HasSubstr("is no folder"));
  EXPECT_THAT(refusal(scratch_.path().string()), HasSubstr("has no run.json"));
  const RecordedRuns runs(folder);
  EXPECT_THROW(runs.find("fcfx"), InputError);
  EXPECT_THROW(explain_request(runs, runs.find("fcfs"), "4"), InputError);
  EXPECT_THROW(explain_classes(runs, runs.find("fcfs"), "colour"), InputError);

  std::filesystem::rename(place("trace.csv"), place("moved.csv"));
  EXPECT_THAT(refusal(folder), HasSubstr("--trace FILE"));
  EXPECT_EQ(refusal(folder, place("moved.csv")), "not refused");
  write("trace.csv", "id,arrival_ns,input_tokens,output_tokens\nlong,0,100,21\n");
  EXPECT_THAT(refusal(folder), HasSubstr("is not the trace of"));

  std::filesystem::rename(place("moved.csv"), place("trace.csv"));
  const std::string requests = folder + "/fcfs/requests.csv";
  std::string text = made_up::contents(requests);
  std::ofstream(requests, std::ios::binary) << text << "\n";
  EXPECT_THAT(refusal(folder), HasSubstr("ends otherwise"));
  text.back() = '1';
  std::ofstream(requests, std::ios::binary) << text;
  EXPECT_THAT(refusal(folder), HasSubstr("ends otherwise"));
}

// Would catch: classes that depend on more than the trace, and a table wider than a terminal.
TEST(RequestClasses, KeepTheRestTogether) {
  Trace trace;
  trace.tenants.clear();
  for (std::uint32_t tenant = 0; tenant < 20; ++tenant) {
    trace.tenants.push_back("t" + std::to_string(tenant));
    TraceRequest request;
    request.input_tokens = request.output_tokens = 1 + tenant;
    request.tenant = TenantId{tenant};
    request.priority = -static_cast<std::int32_t>(tenant % 5);
    trace.requests.push_back(request);
    if (tenant == 11) trace.requests.push_back(request);
  }
  const TraceView view(trace);
  const auto by_tenant = classify(view, trace.tenants, "tenant");
  ASSERT_EQ(by_tenant.names.size(), 8U);
  EXPECT_EQ(by_tenant.names.front(), "t11") << "it has two requests";
  EXPECT_EQ(by_tenant.names[1], "t0");
  EXPECT_EQ(by_tenant.names.back(), "13 others");
  EXPECT_EQ(by_tenant.of_request[20], 7U);
  const auto by_priority = classify(view, trace.tenants, "priority");
  EXPECT_EQ(by_priority.names, (std::vector<std::string>{"-4", "-3", "-2", "-1", "0"}));
  const auto by_prompt = classify(view, trace.tenants, "prompt");
  EXPECT_EQ(by_prompt.names, (std::vector<std::string>{"1-16", "17-64"}));
  EXPECT_EQ(by_prompt.of_request[16], 0U) << "16 tokens: tenant 11 has two requests";
  EXPECT_EQ(by_prompt.of_request[17], 1U);
}

}  // namespace
}  // namespace tokenyard
