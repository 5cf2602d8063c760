// The program as users call it: exit status, messages, and files to the last byte.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/program/program_call.hpp"

namespace tokenyard {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr const char* kMachine = " --model opt-13b --device a100-40g --max-num-seqs 8 ";
constexpr const char* kPlan =
    R"({"requests":120,"arrivals":"poisson:rate=3","lengths":"sharegpt-like"})";
constexpr const char* kPolicies =
    " fcfs mlfq skip-join-mlfq:promote_after_ms=300 srpt srpt:size=work ";

// Would catch: anything in a result that depends on more than its inputs, for every policy, with
// iterations and timeline, swapping under a tight pool, noise and several seeds.
TEST_F(Program, SameCommandSameBytes) {
  write("plan.json", kPlan);
  const std::string command =
      std::string("run plan.json") + kPolicies + kMachine +
      "--repeat 2 --iterations --timeline --kv-blocks 200 --evict swap --proactive-swap "
      "--predictor noisy:sigma=0.5 --quiet --out ";
  ASSERT_EQ(call(command + "a").status, 0);
  ASSERT_EQ(call(command + "b").status, 0);
  const auto first = files("a");
  EXPECT_EQ(first.size(), 3 + 10 * 3u) << "run.json, two summaries, and three files a run";
  EXPECT_EQ(first, files("b"));
}

// Would catch: a named system that does not load, or runs that lose requests.
TEST_F(Program, EveryNamedSystemCompletesAWorkload) {
  write("plan.json", kPlan);
  const Called called =
      call(std::string("run plan.json --system faster-transformer --system orca --system orca-pow2 "
                       "--system orca-oracle --system vllm --system fastserve --system "
                       "fastserve-artifact") +
           kMachine + "--json");
  ASSERT_EQ(called.status, 0) << called.err;
  std::size_t complete = 0;
  for (std::size_t at = 0; (at = called.out.find("\"completed\": 120", at)) != std::string::npos;) {
    ++at;
    ++complete;
  }
  EXPECT_EQ(complete, 7u);
}

// Would catch: a column that is renamed or moved.
TEST_F(Program, ResultFilesHaveThePromisedColumns) {
  write("plan.json", kPlan);
  ASSERT_EQ(call(std::string("run plan.json fcfs --iterations --out r") + kMachine).status, 0);
  EXPECT_THAT(test::file_content(folder_ / "r/fcfs/requests.csv"),
              testing::StartsWith(
                  "request_id,arrival_s,prompt_tokens,output_tokens,status,first_scheduled_s,"
                  "first_token_s,finish_s,jct_s,ttft_s,tpot_s,normalized_latency_s,queue_s,"
                  "prefill_s,decode_s,preempted_s,swap_s,preemptions,swaps_out,swaps_in,"
                  "recomputed_tokens,tenant,priority,replica,width,sequence_tokens,"
                  "cached_tokens\n"));
  EXPECT_THAT(test::file_content(folder_ / "r/fcfs/iterations.csv"),
              testing::StartsWith("start_s,duration_s,batch,prefill_tokens,decode_tokens,"
                                  "kv_blocks_used,swapped_in,swapped_out,waiting,"
                                  "kv_blocks_shared,kv_blocks_saved,kv_blocks_cached,"
                                  "kv_blocks_draining,kv_tokens_unused,level_requests\n"));
  EXPECT_THAT(test::file_content(folder_ / "r/summary.csv"),
              testing::StartsWith("label,policy,system,seed,requests,completed,rejected,"
                                  "duration_s,request_throughput,output_token_throughput,"
                                  "mean_jct_s,p50_jct_s,"));
}

struct BadCall {
  const char* arguments;
  const char* message;
};

// Would catch: bad input that is taken, that ends with another status than 2, that says more or
// less than one line, or that leaves a result folder behind.
TEST_F(Program, BadInputGetsOneLineWithItsPlaceAndLeavesNothing) {
  const std::string head = "id,arrival_ns,input_tokens,output_tokens\n";
  write("good.csv", head + "a,0,10,5\n");
  write("empty.csv", "");
  write("none.csv", head);
  write("negative.csv", head + "a,0,-1,5\n");
  write("fraction.csv", head + "a,0,1.5,5\n");
  write("text.csv", head + "a,0,ten,5\n");
  write("twice.csv", head + "a,0,10,5\na,1,10,5\n");
  write("typo.json", R"({"requests":9,"arrivals":"uniform:rate=1","lengths":"alpaca-like","x":1})");
  write("cost.json", "{\"kind\":\"linear\",\n\"iteration\":1}");
  const BadCall calls[] = {
      {"missing.csv fcfs", "missing.csv: cannot be read"},
      {"empty.csv fcfs", "empty.csv: the file is empty"},
      {"none.csv fcfs", "none.csv:1: the trace has no request"},
      {"negative.csv fcfs", "negative.csv:2: input_tokens: -1 is negative"},
      {"fraction.csv fcfs", "fraction.csv:2: input_tokens: '1.5' is not"},
      {"text.csv fcfs", "text.csv:2: input_tokens: 'ten' is not"},
      {"twice.csv fcfs", "twice.csv:3: id: 'a' is a duplicate"},
      {"typo.json fcfs", "typo.json:1: /x: unknown key"},
      {"good.csv fifo", "unknown policy 'fifo'"},
      {"good.csv mlfq:ratoi=2", "unknown parameter 'ratoi' (did you mean 'ratio'?)"},
      {"good.csv mlfq:base_quantum_ms=0", "base_quantum_ms: expected"},
      {"good.csv mlfq:ratio=0.5", "ratio: expected"},
      {"good.csv fcfs --max-num-seq 4", "(did you mean 'max-num-seqs'?)"},
      {"good.csv fcfs --kv-blocks 0", "--kv-blocks: expected"},
      {"good.csv fcfs --proactive-swap", "--proactive-swap needs"},
      {"good.csv fcfs --cost cost.json", "cost.json:2: /iteration: unknown key"},
      {"good.csv fcfs --system vlm", "unknown system 'vlm' (did you mean 'vllm'?)"},
      {"good.csv srpt --predictor magic", "unknown predictor 'magic'"},
  };
  for (const BadCall& bad : calls) {
    const Called called = call(std::string("run ") + bad.arguments +
                               " --model llama-3.1-8b --device a100-80g --out result");
    EXPECT_EQ(called.status, 2) << bad.arguments;
    EXPECT_THAT(called.err, HasSubstr(bad.message)) << bad.arguments;
    EXPECT_EQ(std::count(called.err.begin(), called.err.end(), '\n'), 1) << called.err;
    EXPECT_EQ(called.out, "") << bad.arguments;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      EXPECT_THAT(entry.path().filename().string(), testing::Not(testing::StartsWith("result")));
    }
  }
}

// Would catch: a replay that answers otherwise than by its exit status, or leaves out where the
// runs part.
TEST_F(Program, ReplayAnswersByItsExitStatus) {
  write("plan.json", kPlan);
  const std::string record = std::string("run plan.json") + kMachine + "--quiet --record ";
  ASSERT_EQ(call(record + "a.jsonl.gz mlfq").status, 0);
  const Called same = call("replay a.jsonl.gz");
  EXPECT_EQ(same.status, 0) << same.err;
  EXPECT_THAT(same.out, HasSubstr("compared: identical\n"));
  ASSERT_EQ(call(record + "b.jsonl mlfq").status, 0);
  std::string text = test::file_content(folder_ / "b.jsonl");
  const std::string typed = R"("policy":"mlfq")";
  text.replace(text.find(typed), typed.size(), R"("policy":"fcfs")");
  write("c.jsonl", text);
  const Called other = call("replay c.jsonl");
  EXPECT_EQ(other.status, 1) << other.err;
  EXPECT_THAT(other.out, testing::ContainsRegex("pass [0-9]+ differs, at [0-9.]+ s .c.jsonl:"));
  EXPECT_THAT(other.out, HasSubstr("\nrecorded: iteration "));
  EXPECT_THAT(other.out, HasSubstr("\nreplayed: "));
  EXPECT_THAT(call("replay c.jsonl --json").out, HasSubstr(R"("identical": false)"));
  EXPECT_EQ(call("replay c.jsonl --quiet").out, "");
  for (const char* bad : {"replay plan.json", "replay missing.jsonl", "replay", "replay a b"}) {
    const Called called = call(bad);
    EXPECT_EQ(called.status, 2) << bad;
    EXPECT_EQ(std::count(called.err.begin(), called.err.end(), '\n'), 1) << called.err;
  }
}

// Would catch: a full disk that hangs, passes for success or leaves half a file; and a closed
// standard output that nobody is told of.
TEST_F(Program, WhatCannotBeWrittenIsSaid) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  write("plan.json", kPlan);
  const std::string run = std::string("run plan.json fcfs") + kMachine;
  const Called full = call(run + "--json >/dev/full 2>said.txt; status=$?; exit $status");
  EXPECT_EQ(full.status, 2);
  EXPECT_THAT(test::file_content(folder_ / "said.txt"),
              HasSubstr("standard output cannot be written"));
}

// Would catch: help that is missing or fails, and lists that lose a name.
TEST_F(Program, HelpAndListsAnswer) {
  for (const char* arguments :
       {"--help", "run --help", "sweep --help", "replay --help", "report --help", "list --help",
        "trace generate --help", "--version"}) {
    const Called called = call(arguments);
    EXPECT_EQ(called.status, 0) << arguments;
    EXPECT_FALSE(called.out.empty()) << arguments;
    EXPECT_EQ(called.err, "") << arguments;
  }
  EXPECT_THAT(call("list policies").out, HasSubstr("skip-join-mlfq"));
  EXPECT_THAT(call("list systems").out, HasSubstr("fastserve-artifact"));
  EXPECT_THAT(call("list models").out, HasSubstr("opt-175b"));
  EXPECT_THAT(call("list devices").out, HasSubstr("h200"));
  EXPECT_THAT(call("list topologies").out, HasSubstr("two-p4d.24xlarge  16 devices"));
  EXPECT_THAT(call("list metrics").out, HasSubstr("p99_ttft_s"));
  EXPECT_EQ(call("list nothing").status, 2);
}

// Would catch: a machine-readable list that lacks a name or parameter of the printed one, that
// puts words where programs want numbers, or lists beside the one that was asked for.
TEST_F(Program, ListsAreMachineReadable) {
  const auto lists = nlohmann::json::parse(call("list --json").out);
  EXPECT_EQ(lists.size(), 10U);
  for (const auto& [list, entries] : lists.items()) {
    const std::string printed = call("list " + list).out;
    std::size_t names = 0;
    for (const auto& entry : entries) {
      const std::string name = entry.at("name");
      EXPECT_THAT("\n" + printed, HasSubstr("\n" + name)) << list;
      ++names;
      for (const auto& parameter : entry.value("parameters", nlohmann::json::array())) {
        EXPECT_THAT(printed, HasSubstr("\n    " + parameter.at("name").get<std::string>()));
        EXPECT_THAT(printed, HasSubstr("; " + parameter.at("range").get<std::string>() + ")"));
        ++names;
      }
    }
    const auto lines = static_cast<std::size_t>(std::ranges::count(printed, '\n'));
    EXPECT_EQ(names, list == "systems" ? lines / 4 : lines) << list;
    EXPECT_EQ(nlohmann::json::parse(call("list --json " + list).out),
              nlohmann::json({{list, entries}}));
  }
  EXPECT_EQ(lists.at("policies").at(0).at("name"), "fcfs");
  EXPECT_EQ(lists.at("policies").at(0).at("parameters"), nlohmann::json::array());
  EXPECT_EQ(lists.at("topologies").at(0).at("name"), "a2-megagpu-16g");
  EXPECT_EQ(lists.at("topologies").at(0).at("devices"), 16);
  EXPECT_EQ(call("list nothing --json").status, 2);
}

// Would catch: a name out of a file that breaks the one line of an error, or reaches the terminal.
TEST_F(Program, ErrorsAreOneLineWhateverFilesSay) {
  write("cost.json", R"({"kind":"roofline","model":"opt-13b","device":"a100-40g","tp":2,)"
                     R"("topology":"a\nb\u001b[31m.json"})");
  const Called called = call(R"(run '{"requests":1}' fcfs --cost cost.json --kv-blocks 9)");
  EXPECT_EQ(called.status, 2);
  EXPECT_THAT(called.err, HasSubstr("a\\x0ab\\x1b[31m.json: cannot open"));
  EXPECT_EQ(std::ranges::count_if(called.err, [](char c) { return c < ' '; }), 1) << called.err;
}

}  // namespace
}  // namespace tokenyard
