// What a trace tells about the content of its prompts: read, kept with its request, written again.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "tests/traces/made_up_files.hpp"
#include "traces/text_hash.hpp"
#include "traces/transform.hpp"
#include "traces/writer.hpp"

namespace tokenyard {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string row(const std::string& id, int arrival, int input, const std::string& field = "") {
  return R"({"id":")" + id + R"(","arrival_ns":)" + std::to_string(arrival) +
         R"(,"input_tokens":)" + std::to_string(input) + R"(,"output_tokens":1)" +
         (field.empty() ? "" : "," + field) + "}\n";
}

const std::string kMeta = R"({"meta":{"block_tokens":16}})"
                          "\n";

std::vector<std::int64_t> hashes_of(const Trace& trace, std::size_t request) {
  const auto list = trace.block_hashes.at(trace.requests[request].block_hashes);
  return {list.begin(), list.end()};
}

std::vector<std::int32_t> ids_of(const Trace& trace, std::size_t request) {
  const auto list = trace.prompt_token_ids.at(trace.requests[request].prompt_token_ids);
  return {list.begin(), list.end()};
}

// Would catch: lists that stay where they stood in the file when requests are sorted or dropped,
// and lists of requests that are gone.
TEST(PromptContent, StaysWithItsRequest) {
  Trace trace = read_text(kMeta + row("c", 9, 40, R"("block_hashes":[7,8,9])") +
                          row("none", 8, 0, R"("block_hashes":[])") +
                          row("b", 5, 3, R"("prompt_token_ids":[0,2147483647,5])") +
                          row("a", 1, 17, R"("block_hashes":[1,2])") + row("d", 2, 3));
  ASSERT_EQ(trace.requests.size(), 4U);
  EXPECT_EQ(trace.block_tokens, 16);
  EXPECT_THAT(hashes_of(trace, 0), ElementsAre(1, 2));
  EXPECT_THAT(hashes_of(trace, 1), IsEmpty());
  EXPECT_THAT(ids_of(trace, 1), IsEmpty());
  EXPECT_THAT(ids_of(trace, 2), ElementsAre(0, 2'147'483'647, 5));
  EXPECT_THAT(hashes_of(trace, 3), ElementsAre(7, 8, 9));
  const std::string digest = trace.digest;
  scale_to_rate(trace, 1);
  EXPECT_NE(trace.digest, digest);
  EXPECT_THAT(ids_of(trace, 2), ElementsAre(0, 2'147'483'647, 5));
  limit(trace, 2);
  EXPECT_THAT(hashes_of(trace, 0), ElementsAre(1, 2));
  EXPECT_TRUE(trace.prompt_token_ids.empty());
  limit(trace, 1);
  const Trace first = read_text(kMeta + row("a", 0, 17, R"("block_hashes":[1,2])"));
  EXPECT_EQ(trace.block_hashes, first.block_hashes);
}

// Would catch: integers of a hash function that are refused or cut, texts that all look alike.
TEST(PromptContent, TakesHashesOfAnyKind) {
  const auto read_hashes = [](const std::string& list) {
    return hashes_of(read_text(kMeta + row("a", 0, 80, "\"block_hashes\":" + list)), 0);
  };
  EXPECT_THAT(read_hashes("[0, -9223372036854775808, 9223372036854775807]"),
              ElementsAre(0, std::numeric_limits<std::int64_t>::min(),
                          std::numeric_limits<std::int64_t>::max()));
  EXPECT_THAT(read_hashes("[18446744073709551615,9223372036854775808]"),
              ElementsAre(-1, std::numeric_limits<std::int64_t>::min()));
  const auto texts = read_hashes(R"(["a","b","a","","a,[\""])");
  ASSERT_EQ(texts.size(), 5U);
  EXPECT_EQ(texts[0], texts[2]);
  EXPECT_EQ((std::set<std::int64_t>(texts.begin(), texts.end())).size(), 4U);
}

// Would catch: a fingerprint of texts that changes, which would change every digest that has one.
TEST(PromptContent, HashesTextsAsEver) {
  const Trace trace = read_text(kMeta + row("a", 0, 16, R"("block_hashes":["0123456789abcdef"])"));
  TextHash hash;
  hash.text("0123456789abcdef");
  EXPECT_THAT(hashes_of(trace, 0), ElementsAre(static_cast<std::int64_t>(hash.value())));
}

// Would catch: content that does not fit its prompt and is cut, padded or ignored.
TEST(PromptContent, RefusesWhatCannotBe) {
  const auto with = [](int input, const std::string& field) {
    return refusal(kMeta + row("a", 1, input, field));
  };
  EXPECT_EQ(refusal(row("a", 1, 16, R"("block_hashes":[1])")),
            "trace:1: block_hashes: need block_tokens in the meta object of the first line");
  EXPECT_EQ(with(32, R"("block_hashes":[1,2,3])"),
            "trace:2: block_hashes: 3 hashes are more than 32 tokens have blocks of 16 (2)");
  EXPECT_EQ(with(33, R"("block_hashes":[1,2,3])"), "no InputError");
  EXPECT_EQ(with(33, R"("block_hashes":[])"), "no InputError");
  EXPECT_EQ(with(2, R"("prompt_token_ids":[1])"),
            "trace:2: prompt_token_ids: 1 ids are not the prompt's 2 tokens (input_tokens)");
  EXPECT_EQ(with(2, R"("prompt_token_ids":[])"),
            "trace:2: prompt_token_ids: 0 ids are not the prompt's 2 tokens (input_tokens)");
  EXPECT_EQ(with(2, R"("prompt_token_ids":[1,2,3])"),
            "trace:2: prompt_token_ids: 3 ids are not the prompt's 2 tokens (input_tokens)");
  EXPECT_EQ(with(1, R"("prompt_token_ids":[1],"block_hashes":[1])"),
            "trace:2: prompt_token_ids: a request has these or block_hashes, not both");
  for (const char* bad : {"1", "\"x\"", "{}", "null", "true"}) {
    EXPECT_THAT(with(80, std::string("\"block_hashes\":") + bad),
                testing::StartsWith("trace:2: /block_hashes: expected an array, found"))
        << bad;
    EXPECT_THAT(with(1, std::string("\"prompt_token_ids\":") + bad),
                testing::StartsWith("trace:2: /prompt_token_ids: expected an array"))
        << bad;
  }
  for (const char* bad : {"1.5", "\"x\"", "{}", "null", "[1]", "[]", "18446744073709551616",
                          "-9223372036854775809", "1e3"}) {
    EXPECT_THAT(with(80, std::string("\"block_hashes\":[1,") + bad + "]"),
                HasSubstr("trace:2: /block_hashes: expected integers of 64 bits, or texts alone"))
        << bad;
    EXPECT_THAT(with(2, std::string("\"prompt_token_ids\":[1,") + bad + "]"),
                HasSubstr("trace:2: /prompt_token_ids/1: expected an integer from 0"))
        << bad;
  }
  EXPECT_THAT(with(80, R"("block_hashes":["x",1])"),
              HasSubstr("trace:2: /block_hashes/1: expected a string, found 1"));
  EXPECT_THAT(with(1, R"("prompt_token_ids":[-1])"), HasSubstr("expected an integer from 0"));
  EXPECT_THAT(with(1, R"("prompt_token_ids":[2147483648])"),
              HasSubstr("expected an integer from 0"));
  for (const char* bad : {"0", "-16", "2147483648", "1.5", "\"16\"", "null", "[16]"}) {
    EXPECT_THAT(refusal(std::string(R"({"meta":{"block_tokens":)") + bad + "}}\n" + row("a", 1, 1)),
                testing::StartsWith("trace:1: /meta/block_tokens: expected an integer"))
        << bad;
  }
}

// Would catch: rows without tokens whose empty lists stop the reading, or that gain a list when
// they are made one token long.
TEST(PromptContent, OfNoTokensIsNone) {
  const std::string text = kMeta + row("z", 0, 0, R"("prompt_token_ids":[])") + row("a", 1, 1);
  EXPECT_EQ(read_text(text).requests.size(), 1U);
  ReadOptions clamp;
  clamp.zero = ZeroTokens::clamp;
  const Trace trace = read_text(text, clamp);
  ASSERT_EQ(trace.requests.size(), 2U);
  EXPECT_EQ(trace.requests[0].prompt_token_ids, ListSlice{});
}

// Would catch: content or its meta line that writing loses; texts that hash to others when they are
// read again as the integers that they became.
TEST(PromptContent, IsWrittenAgain) {
  const TemporaryFolder folder;
  const std::string text =
      R"({"meta":{"source":"made up","block_tokens":4}})"
      "\n"
      R"({"id":"a","arrival_ns":1,"input_tokens":9,"output_tokens":1,"block_hashes":[5,-6,7]})"
      "\n"
      R"({"id":"b","arrival_ns":2,"input_tokens":3,"output_tokens":1,"prompt_token_ids":[1,1,0]})"
      "\n";
  const Trace trace = read_text(text);
  write_trace(trace, folder.path("t.jsonl"));
  EXPECT_EQ(test::file_content(folder.path("t.jsonl")), text);
  EXPECT_THAT(message_of([&] { write_trace(trace, folder.path("t.csv.gz")); }),
              HasSubstr("t.csv.gz: a CSV cannot hold this trace's lists"));

  const Trace texts = read_text(kMeta + row("a", 1, 40, R"("block_hashes":["6f1a","","x"])"));
  write_trace(texts, folder.path("t.jsonl"));
  EXPECT_EQ(read_trace(folder.path("t.jsonl")).digest, texts.digest);
  EXPECT_EQ(read_trace(folder.path("t.jsonl")).block_hashes, texts.block_hashes);
}

}  // namespace
}  // namespace tokenyard
