// Published formats, in small made-up files of the same shape.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/traces/made_up_files.hpp"
#include "traces/writer.hpp"

namespace tokenyard {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::int64_t arrival_ns(const Trace& trace, std::size_t request) {
  return (trace.requests.arrival(request) - kOrigin).count();
}

// Would catch: columns by position rather than by name, failed requests that are simulated, columns
// that are lost.
TEST(SourceFormats, BurstGptOfSixAndEightColumns) {
  const Trace six = read_text(
      "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\r\n"
      "5,ChatGPT,472,18,490,Conversation log\r\n"
      "5,GPT-4,0,0,0,API log\r\n"
      "45,GPT-4,1087,230,1317,API log",
      with_details());
  ASSERT_EQ(six.requests.size(), 2U);
  EXPECT_EQ(six.counts.dropped, (std::vector<DroppedRows>{{"zero tokens", 1}}));
  EXPECT_EQ(arrival_ns(six, 1), 40'000'000'000);
  EXPECT_EQ(six.requests.input_tokens(1), 1087);
  EXPECT_EQ(six.requests.output_tokens(1), 230);
  EXPECT_EQ(details(six, 1),
            R"("model":"GPT-4","ext":{"Total tokens":"1317","Log Type":"API log"})");
  const Trace eight = read_text(
      "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log "
      "Type\n"
      "19440110.0,1722ac82,43,GPT-4,906,446,1352,Conversation log\n"
      "19440111.5,,2,ChatGPT,36,29,65,API log\n",
      with_details());
  EXPECT_EQ(arrival_ns(eight, 1), 1'500'000'000);
  EXPECT_THAT(details(eight, 0), HasSubstr(R"("session_id":"1722ac82")"));
  EXPECT_EQ(details(eight, 1), R"("model":"ChatGPT","ext":{"Elapsed time":"2",)"
                               R"("Total tokens":"65","Log Type":"API log"})");
  EXPECT_THAT(refusal("Timestamp,Request tokens,Response tokens\nnoon,1,1\n"),
              HasSubstr("trace:2: Timestamp: 'noon' is not a time in seconds"));
}

// Would catch: seconds for milliseconds or the other way, or blocks of another size: the two share
// the names of their keys.
TEST(SourceFormats, MooncakeAndBailianDifferInUnits) {
  const Trace mooncake = read_text(
      R"({"timestamp": 3000, "input_length": 600, "output_length": 5, "hash_ids": [0, 7]})"
      "\n");
  EXPECT_EQ(arrival_ns(mooncake, 0), 3'000'000'000);
  EXPECT_EQ(mooncake.block_tokens, 512);
  EXPECT_THAT(mooncake.block_hashes.at(mooncake.requests[0].block_hashes), ElementsAre(0, 7));
  const Trace bailian =
      read_text(R"({"chat_id": 1, "parent_chat_id": -1, "timestamp": 61.114, "input_length": 20, )"
                R"("output_length": 5, "type": "text", "turn": 1, "hash_ids": [3, 4]})"
                "\n",
                with_details());
  EXPECT_EQ(arrival_ns(bailian, 0), 61'114'000'000);
  EXPECT_EQ(bailian.block_tokens, 16);
  EXPECT_EQ(details(bailian, 0),
            R"("turn":1,"ext":{"chat_id":1,"parent_chat_id":-1,"type":"text"})");
  EXPECT_THAT(refusal(R"({"timestamp": 0, "input_length": 512, "output_length": 5, )"
                      R"("hash_ids": [0, 7]})"),
              HasSubstr("2 hashes are more than 512 tokens have blocks of 512"));
}

// Would catch: rounds that do not wait for the one before, or wait as long as the model took when
// it was recorded.
TEST(SourceFormats, TraceLabRoundsWaitForOneAnother) {
  const auto round = [](int number, const char* sent, const char* answered, int output) {
    return R"({"session_id":"s","round_index":)" + std::to_string(number) +
           R"(,"model":"m","input_tokens_total":10,"output_tokens":)" + std::to_string(output) +
           R"(,"timing_events":[{"event_type":"user_message","timestamp":")" + sent +
           R"("},{"event_type":"text","timestamp":")" + answered + R"("}]})" + "\n";
  };
  const Trace trace =
      read_text(round(0, "2026-06-01T05:40:20.100Z", "2026-06-01T05:40:30.000Z", 4) +
                    round(1, "2026-06-01T05:40:31.500Z", "2026-06-01T05:40:33.000Z", 5) +
                    round(2, "2026-06-01T05:40:33.000Z", "2026-06-01T05:40:34.000Z", 6),
                with_details());
  ASSERT_EQ(trace.requests.size(), 3U);
  EXPECT_EQ(arrival_ns(trace, 1), 11'400'000'000);
  EXPECT_EQ(trace.requests[1].delay, std::chrono::milliseconds(1500));
  EXPECT_EQ(trace.requests[2].delay, Duration(0));
  EXPECT_THAT(trace.parents.at(trace.requests[2].parents), ElementsAre(1));
  EXPECT_THAT(details(trace, 1), HasSubstr(R"("session_id":"s","turn":1,"model":"m")"));
  EXPECT_EQ(trace.requests.label(2), "s/2");
}

// Would catch: a form that loses lengths, times or shared blocks, or is silent about the rest.
TEST(Writers, OtherFormsReadBackAsTheSameWorkload) {
  const TemporaryFolder folder;
  const Trace trace = read_text(
      R"({"meta":{"block_tokens":512}})"
      "\n"
      R"({"id":"x","arrival_ns":5000000,"input_tokens":600,"output_tokens":3,)"
      R"("block_hashes":[70,9]})"
      "\n"
      R"({"id":"y","arrival_ns":7000000,"input_tokens":1030,"output_tokens":4,"tenant":"t",)"
      R"("block_hashes":[70,8,1]})"
      "\n");
  EXPECT_THAT(write_trace(trace, folder.path("m.jsonl"), "mooncake"), HasSubstr("ids, tenants"));
  EXPECT_EQ(test::file_content(folder.path("m.jsonl")),
            "{\"timestamp\": 5, \"input_length\": 600, \"output_length\": 3, \"hash_ids\": [0, "
            "1]}\n{\"timestamp\": 7, \"input_length\": 1030, \"output_length\": 4, \"hash_ids\": "
            "[0, 2, 3]}\n");
  EXPECT_THAT(write_trace(trace, folder.path("v.csv"), "vidur"), HasSubstr("lists"));
  EXPECT_EQ(test::file_content(folder.path("v.csv")),
            "arrived_at,num_prefill_tokens,num_decode_tokens\n0.005000000,600,3\n"
            "0.007000000,1030,4\n");
  const Trace again = read_trace(folder.path("m.jsonl"));
  EXPECT_EQ(again.requests.input_tokens(1), 1030);
  EXPECT_EQ(again.block_hashes.at(again.requests[1].block_hashes)[0],
            again.block_hashes.at(again.requests[0].block_hashes)[0]);
  EXPECT_THAT(message_of([&] { write_trace(trace, folder.path("a.csv"), "vidor"); }),
              HasSubstr("did you mean 'vidur'?"));
}

// Would catch: damage of a compressed file that is taken for its end.
TEST(Writers, ATruncatedZstdFileIsRefused) {
  const TemporaryFolder folder;
  std::string text = "id,arrival_ns,input_tokens,output_tokens\n";
  for (int i = 0; i < 20'000; ++i) {
    text += std::to_string(i) + "," + std::to_string(i * 7919 % 1'000'003) + ",3,4\n";
  }
  write_trace(read_text(text), folder.path("t.csv.zst"));
  const std::string packed = test::file_content(folder.path("t.csv.zst"));
  EXPECT_EQ(read_trace(folder.path("t.csv.zst")).requests.size(), 20'000U);
  folder.write("cut.zst", packed.substr(0, packed.size() / 2));
  EXPECT_THAT(message_of([&] { read_trace(folder.path("cut.zst")); }), HasSubstr("cut.zst:"));
}

}  // namespace
}  // namespace tokenyard
