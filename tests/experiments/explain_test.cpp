// `explain` on result folders of the program's own making.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "experiments/explain/explanation.hpp"
#include "experiments/explain/request_classes.hpp"
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
    EXPECT_GE(told.recomputing, Duration{0}) << label;
  }
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
