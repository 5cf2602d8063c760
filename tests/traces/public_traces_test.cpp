// The published traces, where this machine has them (TOKENYARD_SHARED_DIR, or ../shared).

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "tests/traces/made_up_files.hpp"
#include "traces/lengths.hpp"
#include "traces/writer.hpp"

namespace tokenyard {
namespace {

// Would catch: any disagreement with the published trace; the numbers are those of the Splitwise
// paper's conversation trace. And reading that has become slow: it takes about 10 ms.
TEST(PublicTraces, AzureConversation) {
  const auto path = shared_trace("azure/AzureLLMInferenceTrace_conv.csv");
  if (!path) GTEST_SKIP() << "the public traces are not on this machine";
  const auto begun = std::chrono::steady_clock::now();
  const Trace trace = read_trace(*path);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(1));
  ASSERT_EQ(trace.requests.size(), 19'366U);
  EXPECT_EQ(trace.requests.front().arrival, kOrigin);
  EXPECT_NEAR(to_seconds(trace.requests.back().arrival - kOrigin), 3502, 0.5);
  std::vector<std::int64_t> inputs;
  std::vector<std::int64_t> outputs;
  double input_sum = 0;
  double output_sum = 0;
  for (const auto& request : trace.requests) {
    inputs.push_back(request.input_tokens);
    outputs.push_back(request.output_tokens);
    input_sum += static_cast<double>(request.input_tokens);
    output_sum += static_cast<double>(request.output_tokens);
  }
  std::sort(inputs.begin(), inputs.end());
  std::sort(outputs.begin(), outputs.end());
  EXPECT_NEAR(input_sum / 19'366, 1155, 0.5);
  EXPECT_NEAR(output_sum / 19'366, 211, 0.5);
  EXPECT_EQ(inputs[inputs.size() / 2], 1020);
  EXPECT_EQ(outputs[outputs.size() / 2], 129);
  EXPECT_TRUE(trace.counts.dropped.empty());
}

// Would catch: time read inexactly in either format. Vidur's publishers converted the same trace to
// seconds through doubles ("5.8926549999999995"); read to the nearest nanosecond both are equal, to
// the last digit.
TEST(PublicTraces, AzureAndItsVidurFormAreTheSameTrace) {
  const auto azure = shared_trace("azure/AzureLLMInferenceTrace_conv.csv");
  const auto vidur = shared_trace("vidur/splitwise_conv.csv");
  if (!azure || !vidur) GTEST_SKIP() << "the public traces are not on this machine";
  const Trace one = read_trace(*azure);
  const Trace other = read_trace(*vidur);
  EXPECT_EQ(one.requests, other.requests);
  EXPECT_EQ(one.digest, other.digest);
  const TemporaryFolder folder;
  write_trace(one, folder.path("t.jsonl.gz"));
  EXPECT_EQ(read_trace(folder.path("t.jsonl.gz")).digest, one.digest);
}

// Would catch: files of lengths that `dataset:` cannot read.
TEST(PublicTraces, LengthFilesAreDataSets) {
  for (const char* name : {"sharegpt-lengths/sharegpt_val_10k_llama2.csv",
                           "vidur/arxiv_summarization_stats_llama2_tokenizer_filtered_v2.csv"}) {
    const auto path = shared_trace(name);
    if (!path) GTEST_SKIP() << "the public traces are not on this machine";
    const auto lengths = make_lengths("dataset:" + *path);
    Rng rng(1);
    const Lengths drawn = lengths->draw(rng);
    EXPECT_LE(drawn.prompt + drawn.output, 4096);
    EXPECT_GE(std::min(drawn.prompt, drawn.output), 1);
  }
}

}  // namespace
}  // namespace tokenyard
