// `tokenyard trace …` as it is typed.

#include "experiments/cli/trace_command.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/kernel/strict_json.hpp"
#include "tests/traces/made_up_files.hpp"

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

// Would catch: help that does not name what there is.
TEST(TraceCommand, HelpTeaches) {
  const std::string help = run({"generate", "--help"});
  for (const char* word : {"poisson", "gamma", "uniform", "burst", "fixed", "lognormal",
                           "sharegpt-like", "alpaca-like", "dataset", "--seed", "examples:"}) {
    EXPECT_THAT(help, HasSubstr(word));
  }
  EXPECT_THAT(run({"convert", "--help"}), HasSubstr("azure"));
  EXPECT_THAT(run({"--help"}), HasSubstr("convert"));
}

}  // namespace
}  // namespace tokenyard
