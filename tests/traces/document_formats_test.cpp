// Formats that are one JSON text: ShareGPT's conversations, vLLM's benchmark results.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "experiments/trace_options.hpp"
#include "tests/traces/made_up_files.hpp"
#include "traces/length_dataset.hpp"
#include "traces/parents.hpp"

namespace tokenyard {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kConversations = R"([
  {"id": "a_0", "lang": "en", "conversations": [
    {"from": "system", "value": "be kind", "tokens": 3},
    {"from": "human", "value": "one", "tokens": 10},
    {"from": "gpt", "value": "two [{\"", "tokens": 5},
    {"from": "human", "value": "three", "tokens": 7},
    {"from": "gpt", "value": "four", "tokens": 2}]},
  {"id": 7, "items": [
    {"role": "assistant", "content": "cut off", "tokens": 4},
    {"role": "user", "content": "go on", "tokens": 6},
    {"role": "assistant", "content": "so it is", "tokens": 9}]},
  {"conversations": []}
]
)";

std::vector<std::uint32_t> parents(const Trace& trace, std::size_t request) {
  const auto list = trace.parents.at(trace.requests[request].parents);
  return {list.begin(), list.end()};
}

// Would catch: turns without the history that a chat client sends, turns that do not wait for the
// one before, an answer without a question that is replayed, a conversation lost in silence.
TEST(ShareGpt, TurnsWaitForOneAnother) {
  const Trace trace = read_text(kConversations, with_details());
  ASSERT_EQ(trace.requests.size(), 3U);
  EXPECT_EQ(trace.counts.read, 4);
  EXPECT_EQ(trace.counts.dropped, (std::vector<DroppedRows>{{"zero tokens", 1}}));
  std::vector<std::string> labels;
  std::vector<std::int64_t> inputs, outputs;
  for (const auto& request : trace.requests) {
    EXPECT_EQ(request.arrival, kOrigin);
    labels.push_back(request.label);
    inputs.push_back(request.input_tokens);
    outputs.push_back(request.output_tokens);
  }
  EXPECT_THAT(labels, ElementsAre("a_0/0", "7/0", "a_0/1"));
  EXPECT_THAT(inputs, ElementsAre(13, 10, 25));
  EXPECT_THAT(outputs, ElementsAre(5, 9, 2));
  EXPECT_THAT(parents(trace, 0), IsEmpty());
  EXPECT_THAT(parents(trace, 2), ElementsAre(0U));
  EXPECT_THAT(parents(trace, 1), IsEmpty());
  EXPECT_EQ(details(trace, 0), R"("session_id":"a_0","turn":0,"ext":{"lang":"en"})");
  EXPECT_EQ(details(trace, 2), R"("session_id":"a_0","turn":1)");
}

// Would catch: a form that is read in one layout only, or in the memory of the whole text.
TEST(ShareGpt, ReadsAnyLayoutPieceByPiece) {
  const std::string one = R"("conversations":[{"from":"human","value":"x","tokens":1},)"
                          R"({"from":"gpt","value":"y","tokens":2}])";
  std::string array = "[", lines;
  for (int i = 0; i < 20'000; ++i) {
    const std::string object = fmt::format(R"({{"id":"{}",{}}})", i, one);
    array += (i == 0 ? "" : ",") + object;
    lines += object + "\n";
  }
  const Trace whole = read_text(array + "]");
  EXPECT_EQ(whole.requests.size(), 20'000U);
  EXPECT_EQ(read_text(lines).digest, whole.digest);
  EXPECT_EQ(read_text("\xef\xbb\xbf \n" + array + "\n]\n ").digest, whole.digest);
}

// Would catch: texts counted by something else than the tokenizer, or with tokens that no client
// sends; a count that is given and is not taken.
TEST(ShareGpt, CountsTokensByATokenizer) {
  ReadOptions options =
      trace_options("sharegpt:tokenizer=" TOKENYARD_SOURCE_DIR "/tests/data/tokenizers/gpt2");
  const std::string text =
      R"([{"id":"a","conversations":[{"from":"human","value":"Hello"},{"from":"gpt",)"
      R"("value":"Hello Hello"},{"from":"human","value":"Hello","tokens":100},)"
      R"({"from":"gpt","value":"Hello"}]}])";
  const Trace trace = read_text(text, options);
  const TokenCounter count =
      options.load_tokenizer(TOKENYARD_SOURCE_DIR "/tests/data/tokenizers/gpt2");
  ASSERT_GT(count("Hello Hello"), 0);
  EXPECT_EQ(trace.requests[0].input_tokens, count("Hello"));
  EXPECT_EQ(trace.requests[0].output_tokens, count("Hello Hello"));
  EXPECT_EQ(trace.requests[1].input_tokens, count("Hello") + count("Hello Hello") + 100);
  EXPECT_THAT(refusal(text), HasSubstr("/conversations/0/tokens: no count of tokens is given; "
                                       "--format sharegpt:tokenizer=FOLDER"));
  EXPECT_THAT(refusal(text, trace_options("sharegpt:tokenizer=/nowhere")), HasSubstr("nowhere"));
}

// Would catch: broken arrays that are read as shorter ones, faults without their place.
TEST(ShareGpt, RefusesWithLineAndColumn) {
  const std::string object =
      R"({"id":"a","conversations":[{"from":"human","tokens":1},{"from":"gpt","tokens":2}]})";
  EXPECT_EQ(refusal("[\n" + object),
            "trace:2: not valid JSON at column 83: the text ends, expected ','");
  EXPECT_EQ(refusal("[\n" + object + " {"),
            "trace:2: not valid JSON at column 84: expected ',', found '{'");
  EXPECT_EQ(refusal("[" + object + "] x"),
            "trace:1: not valid JSON at column 86: expected the end of the text");
  EXPECT_EQ(refusal("[" + object + ",\n" + object + "]"), "trace:2: id: 'a/0' is a duplicate");
  EXPECT_EQ(refusal(R"([{"conversations":[{"from":"human","tokens":1]}])"),
            "trace:1: not valid JSON at column 46: a bracket that closes another one than was "
            "opened");
  EXPECT_THAT(refusal(R"([{"conversations":[{"from":"nobody","tokens":1}]}])"),
              HasSubstr("trace:1: /conversations/0/from: 'nobody' is neither one who asks"));
  EXPECT_THAT(refusal(R"([ {"conversations":[{"from":"gpt","tokens":-1}]}])"),
              HasSubstr("found -1 (in what begins on line 1 at column 3)"));
  EXPECT_THAT(refusal(R"([{"conversations":")" + std::string(kLongestLine + (1U << 20U), 'x')),
              HasSubstr("the value that begins on line 1 at column 2 is longer than 16 MiB"));
}

std::string bench(const std::string& lists) {
  return R"({"date": "20260101", "backend": "vllm", "request_throughput": 2.5,)"
         R"( "total_input_tokens": 9, )" +
         lists + "}";
}

constexpr const char* kLists =
    R"("input_lens": [10, 20, 30], "start_times": [100.25, 100.000000001, 101.5],)"
    R"( "output_lens": [5, 0, 7], "ttfts": [0.125, 0.0, 1.50], "itls": [[0.1, 0.2], [], [0.3]],)"
    R"( "generated_texts": ["a ]}", "", "\"c"], "errors": ["", "timeout", ""])";

// Would catch: entries of different requests put together, times through a double, failed requests
// that are simulated, other lists that are taken for these.
TEST(VllmBench, ReadsTheListsOfADetailedResult) {
  const Trace trace = read_text(bench(kLists), with_details());
  ASSERT_EQ(trace.requests.size(), 2U);
  EXPECT_EQ(trace.counts.dropped, (std::vector<DroppedRows>{{"zero tokens", 1}}));
  EXPECT_EQ((trace.requests[0].arrival - kOrigin).count(), 249'999'999);
  EXPECT_EQ((trace.requests[1].arrival - kOrigin).count(), 1'499'999'999);
  EXPECT_EQ(trace.requests[1].input_tokens, 30);
  EXPECT_EQ(trace.requests[1].output_tokens, 7);
  EXPECT_EQ(details(trace, 1), R"("ext":{"ttft":1.50})");
  ReadOptions clamp = with_details();
  clamp.zero = ZeroTokens::clamp;
  EXPECT_THAT(details(read_text(bench(kLists), clamp), 0), HasSubstr(R"("status":"timeout")"));
}

// Would catch: a result without arrivals replayed as if all came at once, lists of unequal length
// put together.
TEST(VllmBench, RefusesWhatDoesNotTellEnough) {
  EXPECT_THAT(refusal(bench(R"("input_lens": [1, 2], "output_lens": [3, 4])")),
              HasSubstr("start_times: the file has lengths but no arrivals"));
  EXPECT_THAT(refusal(bench(R"("completed": 3)")),
              HasSubstr("input_lens: is missing: the benchmark writes it with --save-detailed"));
  EXPECT_THAT(refusal(bench(R"("input_lens": [1], "output_lens": [3, 4], "start_times": [0])")),
              HasSubstr("output_lens: has 2 entries, input_lens has 1"));
  EXPECT_THAT(refusal(bench(R"("input_lens": [1], "input_lens": [2])")),
              HasSubstr("duplicate key \"input_lens\""));
  EXPECT_THAT(refusal(bench(R"("itls": [[1, 2}]])")), HasSubstr("not valid JSON at column"));
  const TemporaryFolder folder;
  const auto lengths =
      read_lengths(folder.write("b.json", bench(R"("input_lens": [1, 2], "output_lens": [3, 4])")));
  ASSERT_EQ(lengths.size(), 2U);
  EXPECT_EQ(lengths[1].prompt, 2);
  EXPECT_EQ(lengths[1].output, 4);
}

}  // namespace
}  // namespace tokenyard
