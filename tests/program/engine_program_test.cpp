// The engine as users call it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>

#include "tests/support/files.hpp"

namespace tokenyard {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

const std::optional<std::string> kStories = test::shared_path("models/stories260K");

class EngineProgram : public testing::Test {
 protected:
  int call(const std::string& arguments) {
    const std::string command = "cd " + folder_.string() + " && " TOKENYARD_BINARY " " + arguments +
                                " >stdout.txt 2>stderr.txt";
    return WEXITSTATUS(std::system(command.c_str()));
  }
  std::string out() const { return test::file_content(folder_ / "stdout.txt"); }
  std::string err() const { return test::file_content(folder_ / "stderr.txt"); }

  const test::TemporaryFolder temporary_;
  const fs::path folder_ = temporary_.path();
};

// Would catch: a wrong number anywhere between the checkpoint and the text.
TEST_F(EngineProgram, TellsTheTrainedModelsStory) {
  if (!kStories) GTEST_SKIP() << "no trained model here";
  // 200 tokens in all, 4 of which are the prompt.
  ASSERT_EQ(call("generate --weights " + *kStories +
                 " --prompt 'Once upon a time' --temperature 0 --max-tokens 196"),
            0)
      << err();
  EXPECT_EQ(out() + "\n", test::file_content(*kStories + "/golden_greedy_200.txt"));
}

// Would catch: a seed without effect or an unseeded draw; outputs that all read alike.
TEST_F(EngineProgram, SamplesFollowTheSeed) {
  if (!kStories) GTEST_SKIP() << "no trained model here";
  const std::string generate =
      "generate --weights " + *kStories + " --prompt 'Once' -n 3 --max-tokens 24 --seed ";
  ASSERT_EQ(call(generate + "5 --threads 1"), 0) << err();
  const std::string first = out();
  ASSERT_EQ(call(generate + "5 --threads 2"), 0) << err();
  EXPECT_EQ(out(), first);
  ASSERT_EQ(call(generate + "6"), 0) << err();
  EXPECT_NE(out(), first);
}

// Would catch: a bad model that ends in a crash, or a message without its place.
TEST_F(EngineProgram, RefusesWhatItCannotRun) {
  EXPECT_EQ(call("generate --weights nowhere --prompt x"), 2);
  EXPECT_THAT(err(), HasSubstr("nowhere"));
  EXPECT_EQ(call("generate --weights random:llama-tiny --prompt x"), 2);
  EXPECT_THAT(err(), HasSubstr("tokenizer"));
  const std::string run =
      R"(run '{"requests":2,"arrivals":"burst:","lengths":"fixed:prompt=4,output=4"}' fcfs )";
  EXPECT_EQ(call(run + "--executor engine"), 2);
  EXPECT_THAT(err(), HasSubstr("--weights"));
  EXPECT_EQ(call(run + "--clock wall --model opt-13b --device a100-80g"), 2);
  EXPECT_THAT(err(), HasSubstr("--executor engine"));
  EXPECT_EQ(call(run + "--executor engine --weights random:llama-tiny --max-model-len 100000"), 2);
  EXPECT_THAT(err(), HasSubstr("context"));
}

// Would catch: an interrupt that loses what had finished, hangs, or writes half a file.
TEST_F(EngineProgram, AnInterruptedLiveRunReportsWhatHadFinished) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const std::string out = (folder_ / "out").string(), log = (folder_ / "log.txt").string();
    if (freopen(log.c_str(), "w", stdout) == nullptr) _exit(1);
    execl(TOKENYARD_BINARY, TOKENYARD_BINARY, "run",
          R"({"requests":400,"arrivals":"uniform:rate=100","lengths":"fixed:prompt=4,output=4"})",
          "fcfs", "srpt", "--executor", "engine", "--clock", "wall", "--weights",
          "random:llama-tiny", "--out", out.c_str(), nullptr);
    _exit(1);
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(1500));
  kill(child, SIGINT);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 130);
  EXPECT_THAT(test::file_content(folder_ / "log.txt"), HasSubstr("interrupted after"));
  const std::string rows = test::file_content(folder_ / "out/fcfs/requests.csv");
  EXPECT_THAT(rows, HasSubstr(",finished,"));
  EXPECT_EQ(rows.back(), '\n');
  EXPECT_TRUE(fs::exists(folder_ / "out/summary.csv"));
}

}  // namespace
}  // namespace tokenyard
