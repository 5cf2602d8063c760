// `tokenyard trace …` as it is typed.

#include "experiments/cli/trace_command.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "sim/kernel/strict_json.hpp"
#include "tests/traces/made_up_files.hpp"
#include "traces/generate.hpp"

namespace tokenyard {
namespace {

using testing::HasSubstr;

std::string run(const std::vector<std::string>& args) {
  testing::internal::CaptureStdout();
  int status = -1;
  try {
    status = run_trace_command(args);
  } catch (...) {
    testing::internal::GetCapturedStdout();
    throw;
  }
  EXPECT_EQ(status, 0);
  return testing::internal::GetCapturedStdout();
}

std::string run_refusal(const std::vector<std::string>& args) {
  return message_of([&] { run(args); });
}

// Would catch: a check that stops at the first fault, loses a row of the sum, or says that all is
// well.
TEST(TraceCommand, ChecksATraceToItsEnd) {
  const TemporaryFolder folder;
  const std::string path = folder.write("bad.csv",
                                        "id,arrival_ns,input_tokens,output_tokens\n"
                                        "1,5,1,1\n2,x,1,1\n1,7,1,1\n3,8,0,1\n4,2,3,4\n");
  testing::internal::CaptureStdout();
  const int status = run_trace_command({"check", path});
  const std::string text = testing::internal::GetCapturedStdout();
  EXPECT_EQ(status, 1);
  EXPECT_THAT(text, HasSubstr("bad.csv:3: arrival_ns: 'x' is not a whole number\n"));
  EXPECT_THAT(text, HasSubstr("bad.csv:4: id: '1' is a duplicate\n"));
  EXPECT_THAT(text, HasSubstr("5 rows read = 2 kept + 1 dropped (zero tokens) + 2 faulty"));
  EXPECT_THAT(run({"check", kSample}), HasSubstr(" + 0 faulty"));
}

// Would catch: a statistic of other requests, or one that is not what its name says.
TEST(TraceCommand, TellsWhatAWorkloadIsLike) {
  const TemporaryFolder folder;
  const std::string path = folder.write(
      "t.jsonl",
      R"({"meta":{"block_tokens":4}})"
      "\n"
      R"({"id":"a","arrival_ns":0,"input_tokens":8,"output_tokens":1,"block_hashes":[1,2]})"
      "\n"
      R"({"id":"b","arrival_ns":1000000000,"input_tokens":8,"output_tokens":3,)"
      R"("block_hashes":[1,2]})"
      "\n"
      R"({"id":"c","parents":["b"],"delay_ns":3000000000,"input_tokens":6,"output_tokens":5})"
      "\n");
  const JsonObject json = JsonFile::parse(run({"stats", path, "--json"}), "stdout");
  EXPECT_EQ(json.number("span_s", 0, 9), 4);
  EXPECT_EQ(json.number("request_rate", 0, 9), 0.5);
  EXPECT_NEAR(json.number("gap_cv", 0, 9), std::sqrt(2.0) / 2, 1e-12);
  EXPECT_EQ(json.integer("input_tokens_p50", 0, 9), 8);
  EXPECT_EQ(json.number("output_tokens_mean", 0, 9), 3);
  EXPECT_EQ(json.integer("prefix_reuse_tokens", 0, 99), 4) << "the last token is never found";
  EXPECT_EQ(json.integer("programs", 0, 9), 2);
  EXPECT_EQ(json.number("critical_path_output_tokens_mean", 0, 9), 4.5);
}

// Would catch: options that do not reach the generator, a default seed that is not 1, output that
// is not JSON where it was asked for, talk in spite of --quiet.
TEST(TraceCommand, GeneratesTheSample) {
  const TemporaryFolder folder;
  const std::string out = folder.path("sample.jsonl");
  const JsonObject plan = sample_plan();
  ASSERT_EQ(plan.integer("seed", 0, 1000), 1);
  std::vector<std::string> args = {"generate",
                                   "--requests",
                                   plan.scalar_text("requests"),
                                   "--arrivals",
                                   plan.string("arrivals"),
                                   "--lengths",
                                   plan.string("lengths"),
                                   "--out",
                                   out};
  EXPECT_THAT(run(args), HasSubstr("requests over"));
  EXPECT_EQ(test::file_content(out), test::file_content(kSample));
  args.push_back("--json");
  const JsonObject json = JsonFile::parse(run(args), "stdout");
  EXPECT_EQ(json.scalar_text("requests"), plan.scalar_text("requests"));
  EXPECT_EQ(json.string("digest"), read_trace(out).digest);
  args.back() = "--quiet";
  EXPECT_EQ(run(args), "");
  args.back() = "--seed=2";
  run(args);
  EXPECT_NE(test::file_content(out), test::file_content(kSample));
}

// Would catch: a conversion that changes the trace, or dropped rows that are not told.
TEST(TraceCommand, Converts) {
  const TemporaryFolder folder;
  const std::string in = folder.write(
      "in.csv", "arrived_at,num_prefill_tokens,num_decode_tokens\n2,5,5\n1,0,3\n1.5,7,3\n");
  const std::string out = folder.path("out.csv");
  EXPECT_THAT(run({"convert", in, out}),
              HasSubstr("3 rows read, 1 dropped (zero tokens), 1 out of order (sorted)"));
  EXPECT_EQ(test::file_content(out),
            "id,arrival_ns,input_tokens,output_tokens\n2,1500000000,7,3\n0,2000000000,5,5\n");
  run({"convert", in, out, "--zero", "clamp", "--limit", "1"});
  EXPECT_EQ(test::file_content(out),
            "id,arrival_ns,input_tokens,output_tokens\n1,1000000000,1,3\n");
}

// Would catch: wrong usage that does something else than what was meant, and files left behind.
TEST(TraceCommand, RefusesWrongUsage) {
  const TemporaryFolder folder;
  const std::string out = folder.path("out.csv");
  const std::vector<std::string> good = {"generate",    "--requests", "5",
                                         "--arrivals",  "burst:",     "--lengths",
                                         "alpaca-like", "--out",      out};
  const auto with = [&good](const std::vector<std::string>& more) {
    auto args = good;
    args.insert(args.end(), more.begin(), more.end());
    return run_refusal(args);
  };
  EXPECT_THAT(run_refusal({}), HasSubstr("a trace command is needed"));
  EXPECT_THAT(run_refusal({"generat"}),
              HasSubstr("unknown trace command 'generat' (did you mean 'generate'?)"));
  EXPECT_THAT(with({"stray"}), HasSubstr("unexpected argument 'stray'"));
  EXPECT_THAT(with({"--sed", "1"}), HasSubstr("--sed"));
  EXPECT_THAT(with({"--seed", "-1"}), HasSubstr("--seed"));
  EXPECT_THAT(with({"--seed", "1.5"}), HasSubstr("--seed"));
  EXPECT_THAT(run_refusal({"generate", "--requests", "5", "--arrivals", "burst:", "--lengths",
                           "alpaca-like"}),
              HasSubstr("--out is required"));
  EXPECT_THAT(run_refusal({"generate", "--requests", "0", "--arrivals", "burst:", "--lengths",
                           "alpaca-like", "--out", out}),
              HasSubstr("--requests"));
  EXPECT_THAT(run_refusal({"convert", out}), HasSubstr("two files are needed"));
  EXPECT_THAT(run_refusal({"convert", out, folder.path("out.txt")}),
              HasSubstr("a trace is written as"));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path("")));
}

// Would catch: an option that does not reach the plan, or reaches another one than the key of the
// same name in a workload plan's file.
TEST(TraceCommand, GeneratesWhatAPlanWithTheSameKeysSays) {
  const TemporaryFolder folder;
  const std::string out = folder.path("out.jsonl");
  run({"generate",
       "--requests",
       "300",
       "--duration",
       "40",
       "--arrivals",
       "mmpp:rates=2/30,sojourns_s=5/5",
       "--lengths",
       "zipf:theta=0.5,min=8,max=80",
       "--prefix",
       "shared:groups=3,tokens=32,share=0.5",
       "--n",
       "1:3/2:1",
       "--best-of",
       "4",
       "--beam-width",
       "1",
       "--tenants",
       "a:1/b:2",
       "--scale-rate",
       "2",
       "--scale-lengths",
       "3",
       "--seed",
       "5",
       "--out",
       out});
  const WorkloadPlan plan = read_workload_plan(
      R"({"requests":300,"duration":40,"arrivals":"mmpp:rates=2/30,sojourns_s=5/5",)"
      R"("lengths":"zipf:theta=0.5,min=8,max=80","prefix":"shared:groups=3,tokens=32,share=0.5",)"
      R"("n":"1:3/2:1","best_of":4,"beam_width":1,"tenants":"a:1/b:2","scale_rate":2,)"
      R"("scale_lengths":3,"seed":5})");
  const Trace drawn = generate(plan, *plan.seed);
  EXPECT_EQ(read_trace(out).digest, drawn.digest);
  EXPECT_EQ(drawn.requests.size(), 300U);
  // The plan in the file's own meta line is the same again.
  JsonObject meta = JsonFile::parse(read_trace(out).meta, "meta");
  EXPECT_EQ(meta.integer("block_tokens", 1, 1000), 32);
  EXPECT_EQ(meta.integer("seed", 0, 1000), 5);
  EXPECT_EQ(generate(workload_plan(meta), 5).digest, drawn.digest);
}

// Would catch: options that are read by no command, and parts that are taken in another order than
// the help says.
TEST(TraceCommand, SlicesSuperposesAndResamples) {
  const TemporaryFolder folder;
  const std::string in = folder.write("in.csv",
                                      "id,arrival_ns,input_tokens,output_tokens\n"
                                      "a,0,10,1\nb,1000000000,20,2\nc,2000000000,30,3\n"
                                      "d,3000000000,40,4\n");
  const std::string out = folder.path("out.csv");
  EXPECT_THAT(run({"slice", in, out, "--from", "1", "--to", "3", "--scale-lengths", "2"}),
              HasSubstr("4 rows read, 2 dropped (outside the slice)"));
  EXPECT_EQ(test::file_content(out),
            "id,arrival_ns,input_tokens,output_tokens\nb,0,40,4\nc,1000000000,60,6\n");
  run({"slice", in, out, "--skip", "1", "--first", "1"});
  EXPECT_EQ(test::file_content(out), "id,arrival_ns,input_tokens,output_tokens\nb,0,20,2\n");
  run({"superpose", out, in, in, "--scale-rate", "2"});
  EXPECT_THAT(test::file_content(out), HasSubstr("1/b,500000000,20,2\n2/b,500000000,20,2\n"));
  run({"resample", in, out, "--blocks", "1", "--seed", "3"});
  const std::string first = test::file_content(out);
  run({"resample", in, out, "--blocks", "1", "--seed", "3"});
  EXPECT_EQ(test::file_content(out), first);
  EXPECT_THAT(run_refusal({"slice", in, out, "--from", "2", "--to", "1"}), HasSubstr("--to"));
  EXPECT_THAT(run_refusal({"slice", in, out, "--from", "9"}), HasSubstr("holds no request"));
  EXPECT_THAT(run_refusal({"superpose", out}), HasSubstr("one IN or more"));
  EXPECT_THAT(run_refusal({"resample", in, out}), HasSubstr("--blocks is required"));
  EXPECT_THAT(run_refusal({"resample", in, out, "--blocks", "3"}), HasSubstr("shorter than"));
  EXPECT_EQ(test::file_content(out), first);
}

// Would catch: help that does not name what there is.
TEST(TraceCommand, HelpTeaches) {
  const std::string help = run({"generate", "--help"});
  for (const char* word :
       {"poisson",       "gamma",       "uniform",      "burst",    "fixed",     "lognormal",
        "sharegpt-like", "alpaca-like", "dataset",      "--seed",   "examples:", "weibull",
        "mmpp",          "diurnal",     "curve",        "servegen", "zipf",      "pareto",
        "correlation",   "shared",      "--scale-rate", "--tenants"}) {
    EXPECT_THAT(help, HasSubstr(word));
  }
  EXPECT_THAT(run({"convert", "--help"}), HasSubstr("azure"));
  for (const char* verb : {"generate", "convert", "slice", "superpose", "resample"}) {
    EXPECT_THAT(run({"--help"}), HasSubstr(verb));
    EXPECT_THAT(run({verb, "--help"}), HasSubstr("example"));
  }
}

}  // namespace
}  // namespace tokenyard
