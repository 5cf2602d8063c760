#include "experiments/costs/operator_tables.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "experiments/costs/imported_pipeline.hpp"
#include "experiments/costs/operator_csv.hpp"
#include "models/cost_model_file.hpp"
#include "models/pipeline_cost_model.hpp"
#include "tests/support/files.hpp"

namespace tokenyard {
namespace {

using ::testing::HasSubstr;

const std::filesystem::path kData = std::filesystem::path(TOKENYARD_SOURCE_DIR) / "models";

constexpr const char* kMlpHeader =
    "time_stats.emb.median,time_stats.input_layernorm.median,time_stats.attn_pre_proj.median,"
    "time_stats.attn_rope.median,time_stats.attn_post_proj.median,"
    "time_stats.post_attention_layernorm.median,time_stats.mlp_up_proj.median,"
    "time_stats.mlp_act.median,time_stats.mlp_down_proj.median,time_stats.add.median,n_head,"
    "n_kv_head,n_embd,n_expanded_embd,num_tokens,num_tensor_parallel_workers\n";
/// llama-2-7b: a layer takes 8 x 1 ms and twice 0.5 ms, the embedding 4 ms.
constexpr const char* kMlpRow = "4,1,1,1,1,1,1,1,1,0.5,32,32,4096,11008,";

constexpr const char* kAttentionHeader =
    "time_stats.attn_input_reshape.median,time_stats.attn_kv_cache_save.median,"
    "time_stats.attn_prefill.median,time_stats.attn_decode.median,"
    "time_stats.attn_output_reshape.median,n_embd,n_q_head,n_kv_head,num_tensor_parallel_workers,"
    "batch_size,prefill_chunk_size,kv_cache_size,is_prefill\n";

class OperatorTablesTest : public testing::Test {
 protected:
  ImportedCosts import(int tensor_parallel = 1, const std::string& network = "") {
    return import_operator_tables({folder_.path(), network, load_model_spec(kData, "llama-2-7b"),
                                   load_device_spec(kData, "a100-80g"), tensor_parallel});
  }
  std::string refusal(int tensor_parallel = 1, const std::string& network = "") {
    return test::refusal([&] { import(tensor_parallel, network); });
  }
  void write_mlp(const std::string& rows) { folder_.write("mlp.csv", kMlpHeader + rows); }

  const test::TemporaryFolder folder_;
};

// Would catch: a wrong unit, an operator left out or counted once a model instead of once a layer,
// rows of another degree, and points measured twice that are not told of or not halved.
TEST_F(OperatorTablesTest, AddsUpTheOperatorsOfALayer) {
  write_mlp(std::string(kMlpRow) + "8,1\n" + kMlpRow + "1,1\n" + kMlpRow + "1,2\n" +
            "6,2,1,1,1,1,1,1,1,0.5,32,32,4096,11008,8,1\n");
  const ImportedCosts costs = import();
  EXPECT_EQ(costs.table.tokens.points(), (std::vector<double>{1, 8}));
  EXPECT_NEAR(costs.table.tokens.seconds()[0], (32 * 9 + 4) * 1e-3, 1e-12);
  // The median of two is between them: 32 x 10 + 6 and 32 x 9 + 4.
  EXPECT_NEAR(costs.table.tokens.seconds()[1], (32 * 9.5 + 5) * 1e-3, 1e-12);
  EXPECT_DOUBLE_EQ(costs.table.iteration_s, 0.0005);
  EXPECT_FALSE(costs.table.prefill_attention);
  EXPECT_THAT(costs.notes,
              testing::ElementsAre(HasSubstr("1 points were measured several times"),
                                   HasSubstr("attention goes by the roofline"),
                                   HasSubstr("the output layer goes by the roofline")));
}

// Would catch: prefill and decode rows mixed up, the attended token itself forgotten.
TEST_F(OperatorTablesTest, ReadsAttentionByChunkAndByBatch) {
  write_mlp(std::string(kMlpRow) + "1,1\n");
  folder_.write("attention.csv", std::string(kAttentionHeader) +
                                     "1,2,3,,4,4096,32,32,1,1,64,128,True\n"
                                     "1,2,,5,4,4096,32,32,1,16,0,99,False\n");
  const ImportedCosts costs = import();
  const MeasuredGrid::Row& prefill = costs.table.prefill_attention->rows().at(0);
  EXPECT_EQ(prefill.x, 64);
  EXPECT_EQ(prefill.curve.points(), std::vector<double>{128});
  EXPECT_NEAR(prefill.curve.seconds()[0], 32 * 10e-3, 1e-12);
  const MeasuredGrid::Row& decode = costs.table.decode_attention->rows().at(0);
  EXPECT_EQ(decode.x, 16);
  EXPECT_EQ(decode.curve.points(), std::vector<double>{100});
  EXPECT_NEAR(decode.curve.seconds()[0], 32 * 12e-3, 1e-12);
}

// Would catch: bytes taken for tokens, one all-reduce a layer, rows across nodes.
TEST_F(OperatorTablesTest, ReadsAllReducesByTokens) {
  write_mlp(std::string(kMlpRow) + "1,2\n");
  folder_.write("all_reduce.csv",
                "time_stats.all_reduce.median,num_workers,size,devices_per_node\n"
                "7,2,8192,1\n3,2,8192,2\n9,4,8192,4\n");
  const ImportedCosts costs = import(2, folder_.path());
  EXPECT_EQ(costs.table.all_reduce->points(), std::vector<double>{1});
  EXPECT_NEAR(costs.table.all_reduce->seconds()[0], 64 * 3e-3, 1e-12);
  EXPECT_THAT(import(2).notes, testing::Contains(HasSubstr("all-reduces go by the roofline")));
}

// Would catch: bytes taken for tokens, rows of other groups or across nodes; stages that do not
// share the layers' times out, or that all pay the iteration's overhead; a file of stages that
// cannot be read back.
TEST_F(OperatorTablesTest, CutsALayersTimesIntoStages) {
  write_mlp(std::string(kMlpRow) + "1,1\n" + kMlpRow + "4096,1\n");
  folder_.write("send_recv.csv",
                "time_stats.send_recv.median,num_workers,size,devices_per_node\n"
                "9,2,8192,1\n1,2,8192,2\n2,2,16384,2\n3,2,24576,2\n50,4,8192,4\n");
  const OperatorTables from{folder_.path(),
                            folder_.path(),
                            load_model_spec(kData, "llama-2-7b"),
                            load_device_spec(kData, "a100-80g"),
                            1,
                            3};
  const ImportedCosts costs = import_operator_tables(from);
  EXPECT_NEAR(costs.to_next.latency_s, 0, 1e-9);
  EXPECT_NEAR(costs.to_next.at(2), 2e-3, 1e-9) << "a token is 4,096 numbers of 2 bytes";
  const auto read =
      cost_model_from_json(JsonFile::parse(imported_cost_text(from, costs), "imported"), kData);
  const auto* pipeline = dynamic_cast<const PipelineCostModel*>(read.get());
  ASSERT_NE(pipeline, nullptr);
  ASSERT_EQ(pipeline->stages(), 3U);
  const IterationLoad load = IterationLoad::one_decode(1);
  // 32 layers are 11, 11 and 10. The overhead is the first stage's, the output layer the last's.
  const double middle_s = to_seconds(pipeline->busy(1, load));
  EXPECT_NEAR(middle_s, (32 * 9 + 4) * 1e-3 * 11 / 32, 1e-4);
  EXPECT_NEAR(to_seconds(pipeline->busy(0, load)) - middle_s, 0.0005, 1e-6);
  EXPECT_LT(pipeline->busy(2, load), pipeline->busy(1, load));
  EXPECT_NEAR(to_seconds(pipeline->on_the_way(0, load)), 1e-3, 1e-9);
}

// Would catch: a bad file that is read in silence, or refused without file, line and column.
TEST_F(OperatorTablesTest, RefusesBadFiles) {
  const std::string at = folder_.path("mlp.csv");
  EXPECT_THAT(refusal(), HasSubstr(at));
  write_mlp("");
  EXPECT_EQ(refusal(), at + ": num_tensor_parallel_workers: the file has no row");
  write_mlp(std::string(kMlpRow) + "1,1\n" + kMlpRow + "1,4\n");
  EXPECT_EQ(refusal(2), at + ": num_tensor_parallel_workers: no row has 2; there are 1, 4");
  write_mlp("4,nan,1,1,1,1,1,1,1,0.5,32,32,4096,11008,1,1\n");
  EXPECT_EQ(refusal(), at + ":2: time_stats.input_layernorm.median: expected a time in "
                            "milliseconds from 0 to 100000, found 'nan'");
  write_mlp("4,1,-1,1,1,1,1,1,1,0.5,32,32,4096,11008,1,1\n");
  EXPECT_THAT(refusal(), HasSubstr(":2: time_stats.attn_pre_proj.median: expected a time"));
  write_mlp("0,0,0,0,0,0,0,0,0,0,32,32,4096,11008,1,1\n");
  EXPECT_THAT(refusal(), HasSubstr("all operators together take no time"));
  write_mlp("4,1,1,1,1,1,1,1,1,0.5,64,32,4096,11008,1,1\n");
  EXPECT_THAT(refusal(), HasSubstr(":2: n_head: expected 32, the heads of llama-2-7b, found 64"));
  folder_.write("mlp.csv", "time_stats.emb.median,num_tokens\n1,1\n");
  EXPECT_THAT(refusal(), HasSubstr("the column is missing"));
  write_mlp(std::string(kMlpRow) + "1,1\n");
  folder_.write("attention.csv",
                std::string(kAttentionHeader) + "1,2,3,,4,4096,32,32,1,2,64,128,True\n");
  EXPECT_THAT(refusal(), HasSubstr("attention.csv:2: batch_size: expected 1"));
  folder_.write("attention.csv",
                std::string(kAttentionHeader) + "1,2,3,,4,4096,32,32,1,1,64,128,yes\n");
  EXPECT_THAT(refusal(), HasSubstr("is_prefill: expected True or False, found 'yes'"));
}

// Would catch: an import that writes numbers which no run reads again.
TEST_F(OperatorTablesTest, RefusesWhatNoCostFileMayHold) {
  write_mlp("4,1,1e6,1,1,1,1,1,1,0.5,32,32,4096,11008,1,1\n");
  EXPECT_THAT(refusal(), HasSubstr(":2: time_stats.attn_pre_proj.median: expected a time"));
  write_mlp(std::string(kMlpRow) + "1000000000001,1\n");
  EXPECT_THAT(refusal(), HasSubstr(":2: num_tokens: 1000000000001 is not in 0"));
}

// Would catch: messages too short to weigh that become no number; a bandwidth that is told of
// though bytes cost nothing.
TEST_F(OperatorTablesTest, MessagesOfOneSizeAndOfNoTime) {
  write_mlp(std::string(kMlpRow) + "1,1\n");
  const auto send = [&](const std::string& rows) {
    folder_.write("send_recv.csv",
                  "time_stats.send_recv.median,devices_per_node,size,num_workers\n" + rows);
    return import_operator_tables({folder_.path(), folder_.path(),
                                   load_model_spec(kData, "llama-2-7b"),
                                   load_device_spec(kData, "a100-80g"), 1, 2});
  };
  EXPECT_THAT(test::refusal([&] { send("1e-320,2,1024,2\n"); }),
              HasSubstr("send_recv.csv:2: time_stats.send_recv.median: a message takes a nano"));
  const ImportedCosts costs = send("2,2,8192,2\n2,2,16384,2\n");
  EXPECT_NEAR(costs.to_next.latency_s, 2e-3, 1e-9);
  EXPECT_THAT(costs.notes, testing::Contains(HasSubstr("takes 2000.0 us whatever its bytes,")));
}

// Would catch: a unit, an operator or a layer count that is wrong in the published files. The ends
// of the measured range are added up by hand from their rows (see below).
TEST(PublishedOperatorTables, GiveTheMeasuredEndPoints) {
  const auto folder = test::shared_path("profiles/frontier/compute/a800/meta-llama/Llama-2-7b-hf");
  if (!folder) GTEST_SKIP() << "no published profiles here";
  const ImportedCosts costs = import_operator_tables(
      {*folder, "", load_model_spec(kData, "llama-2-7b"), load_device_spec(kData, "a100-80g"), 1});
  const auto& prefill = costs.table.prefill_attention->rows();
  const auto& decode = costs.table.decode_attention->rows();
  EXPECT_EQ(prefill.front().x, 32);
  EXPECT_EQ(prefill.back().x, 4096);
  EXPECT_EQ(decode.size(), 128U);
  // attn_prefill 1.033 and 1.035, attn_kv_cache_save 3.316.
  EXPECT_NEAR(prefill.back().curve.seconds().front(), 32 * (1.034 + 3.316) * 1e-3, 1e-9);
  // One sequence behind 32 tokens: attn_decode 0.010, attn_kv_cache_save 0.003; 128 behind 4,032,
  // twice: 4.714 and 4.698, 0.006.
  EXPECT_EQ(decode.front().curve.points().front(), 33);
  EXPECT_NEAR(decode.front().curve.seconds().front(), 32 * 0.013e-3, 1e-9);
  EXPECT_NEAR(decode.back().curve.seconds().back(), 32 * (4.706 + 0.006) * 1e-3, 1e-9);
  const TableCostModel cost(costs.table, RooflineCostModel(load_model_spec(kData, "llama-2-7b"),
                                                           load_device_spec(kData, "a100-80g"), 1));
  // A whole prompt of the context: 4,096 tokens' operators and attention, and the output layer.
  const double seconds = to_seconds(cost.iteration(IterationLoad::one_prefill(4096, 4096)));
  const double operators = costs.table.tokens.seconds().back();
  EXPECT_GT(operators, 0.20);
  EXPECT_LT(operators, 0.45);
  EXPECT_NEAR(seconds, 0.0005 + operators + 32 * 4.35e-3, 0.001);
  EXPECT_EQ(cost.left_range(), "");
}

// Would catch: the same in the other collection. One token on an A100: a layer's operators take 5 +
// 65 + 5 + 25 + 5 + 116 + 7 + 60 us, each sum 2 us, the embedding 3 us; cut into eight 5 + 14 + 3 +
// 6 + 5 + 20 + 2 + 12.
TEST(PublishedOperatorTables, GiveTheTimeOfOneToken) {
  const auto folder = test::shared_path("profiles/vidur/compute/a100/meta-llama/Llama-2-7b-hf");
  if (!folder) GTEST_SKIP() << "no published profiles here";
  const auto least_s = [&](int degree) {
    const ImportedCosts costs =
        import_operator_tables({*folder, "", load_model_spec(kData, "llama-2-7b"),
                                load_device_spec(kData, "a100-80g"), degree});
    EXPECT_EQ(costs.table.tokens.points().front(), 1);
    EXPECT_FALSE(costs.table.decode_attention);
    return costs.table.tokens.seconds().front();
  };
  EXPECT_NEAR(least_s(1), (32 * (288 + 2 * 2) + 3) * 1e-6, 1e-9);
  EXPECT_NEAR(least_s(8), (32 * (67 + 2 * 2) + 3) * 1e-6, 1e-9);
}

// Would catch: degrees of parallelism mixed up; a published layout that is not read.
TEST(PublishedOperatorTables, ReadEveryDegreeOfParallelism) {
  const auto folder = test::shared_path("profiles/vidur");
  if (!folder) GTEST_SKIP() << "no published profiles here";
  double before = 1e9;
  for (const int degree : {1, 2, 4, 8}) {
    const ImportedCosts costs = import_operator_tables(
        {*folder + "/compute/a100/meta-llama/Llama-2-70b-hf", *folder + "/network/a100_dgx",
         load_model_spec(kData, "llama-2-70b"), load_device_spec(kData, "a100-80g"), degree});
    const double all_tokens = costs.table.tokens.seconds().back();
    EXPECT_LT(all_tokens, 0.75 * before) << degree;
    EXPECT_EQ(costs.table.all_reduce.has_value(), degree > 1);
    before = all_tokens;
  }
}

}  // namespace
}  // namespace tokenyard
