// Cost models as users make, use and look at them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "tests/support/files.hpp"

namespace tokenyard {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class CostsProgram : public testing::Test {
 protected:
  int call(const std::string& arguments) {
    const std::string command = "cd " + temporary_.path() + " && " TOKENYARD_BINARY " " +
                                arguments + " >stdout.txt 2>stderr.txt";
    return WEXITSTATUS(std::system(command.c_str()));
  }
  std::string content(const std::string& name) const {
    return test::file_content(temporary_.path(name));
  }
  std::string err() const { return content("stderr.txt"); }
  bool exists(const std::string& name) const { return fs::exists(temporary_.path(name)); }

  const test::TemporaryFolder temporary_;
};

constexpr const char* kRun =
    R"(run '{"requests":30,"arrivals":"poisson:rate=50","lengths":"fixed:prompt=20,output=9"}')"
    " fcfs ";

// Would catch: a profile that cannot be run with, or that depends on where it is read.
TEST_F(CostsProgram, AMeasuredEngineIsSimulatedWith) {
  ASSERT_EQ(call("profile --weights random:llama-tiny --threads 1 --max-num-seqs 4 "
                 "--max-num-batched-tokens 64 --max-model-len 128 --seconds 0 --accept-bad-fit "
                 "--out cost.json"),
            0)
      << err();
  EXPECT_THAT(content("stdout.txt"), HasSubstr("held out, table"));
  ASSERT_EQ(call(std::string(kRun) + "--cost cost.json --kv-blocks 100 --max-num-seqs 4 --out a"),
            0)
      << err();
  ASSERT_EQ(call(std::string(kRun) + "--cost cost.json --kv-blocks 100 --max-num-seqs 4 --out b "
                                     "--no-macro-steps"),
            0)
      << err();
  EXPECT_EQ(content("a/fcfs/requests.csv"), content("b/fcfs/requests.csv"));
  EXPECT_THAT(content("a/fcfs/requests.csv"), HasSubstr(",finished,"));
}

// Would catch: validation that does not run to its end, or leaves files out; what it says is about
// this computer, so only its form is looked at.
TEST_F(CostsProgram, ValidationComparesLiveWithSimulated) {
  const int status = call(
      R"(validate '{"requests":12,"arrivals":"poisson:rate=9",)"
      R"("lengths":"fixed:prompt=8,output=6"}')"
      " fcfs srpt --weights random:llama-tiny --threads 1 --max-num-seqs 4 --max-model-len 128 "
      "--max-num-batched-tokens 64 --profile-seconds 0 --repeat 2 --load 0.5 --out v");
  EXPECT_TRUE(status == 0 || status == 1) << err();
  for (const char* file : {"metrics.csv", "iterations.csv", "iteration_errors.csv", "pairs.csv",
                           "summary.csv", "cost.json", "run.json"}) {
    EXPECT_TRUE(exists(std::string("v/") + file)) << file;
  }
  EXPECT_THAT(content("v/pairs.csv"), HasSubstr("\nfcfs,srpt,"));
  EXPECT_THAT(content("v/summary.csv"), HasSubstr("\nsrpt live 2,"));
  EXPECT_THAT(content("v/iterations.csv"), HasSubstr("\nsrpt,2,"));
  EXPECT_THAT(content("stdout.txt"), HasSubstr("\n  within "));
  // Three rounds, four live runs, a round after each.
  EXPECT_THAT(content("v/advice.json"), HasSubstr(R"("rounds":3,)"));
  EXPECT_THAT(content("v/cost.json"), HasSubstr(R"("rounds":7,)"));
}

// Would catch: named costs that are measured anew or left out, or under which the load is another
// than was asked for.
TEST_F(CostsProgram, ValidationTakesTheCostsNamed) {
  const std::string cost = R"({"kind":"linear","iteration_s":0.002,"prefill_token_s":0.0001})";
  temporary_.write("cost.json", cost);
  const int status =
      call(R"(validate '{"requests":12,"arrivals":"poisson:rate=9",)"
           R"("lengths":"fixed:prompt=8,output=6"}')"
           " mlfq --weights random:llama-tiny --threads 1 --max-num-seqs 4 --max-model-len 128 "
           "--cost cost.json --repeat 2 --load 0.5 --out v");
  EXPECT_TRUE(status == 0 || status == 1) << err();
  EXPECT_EQ(content("v/cost.json"), cost);
  EXPECT_FALSE(exists("v/advice.json"));
  EXPECT_THAT(content("stdout.txt"), HasSubstr("a load of 0.50; 2 live runs"));
}

// Would catch: bad input that is run with, or refused without its place; half a file left behind.
TEST_F(CostsProgram, RefusesBadInput) {
  EXPECT_EQ(call("profile --out x.json"), 2);
  EXPECT_THAT(err(), HasSubstr("--weights"));
  EXPECT_EQ(call("profile --weights random:llama-tiny"), 2);
  EXPECT_THAT(err(), HasSubstr("no --out"));
  EXPECT_EQ(call("profile --weights random:llama-tiny --tp 2 --out x.json"), 2);
  EXPECT_THAT(err(), HasSubstr("--tp goes with --import"));
  EXPECT_EQ(call("profile --weights random:llama-tiny --out nowhere/x.json"), 2);
  EXPECT_THAT(err(), HasSubstr("--out nowhere/x.json: there is no folder 'nowhere'"));
  EXPECT_EQ(call("profile --weights random:llama-tiny --max-model-len 3 --out x.json"), 2);
  EXPECT_THAT(err(), HasSubstr("a context of at least 4 tokens"));
  EXPECT_EQ(call("profile --import . --model llama-2-7b --out x.json"), 2);
  EXPECT_THAT(err(), HasSubstr("no --device"));
  EXPECT_EQ(call("profile --import . --model llama-2-7b --device a100-80g --out x.json"), 2);
  EXPECT_THAT(err(), HasSubstr("mlp.csv"));
  EXPECT_FALSE(exists("x.json"));
  EXPECT_EQ(call("validate plan.json fcfs"), 2);
  EXPECT_THAT(err(), HasSubstr("--weights"));
  EXPECT_EQ(call("validate plan.json fcfs --weights random:llama-tiny --load no"), 2);
  EXPECT_THAT(err(), HasSubstr("--load: expected a share above 0, found 'no'"));
  temporary_.write("taken", "");
  EXPECT_EQ(call("validate plan.json fcfs --weights random:llama-tiny --out taken"), 2);
  EXPECT_THAT(err(), HasSubstr("taken"));
}

}  // namespace
}  // namespace tokenyard
