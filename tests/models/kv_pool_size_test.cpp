#include "models/kv_pool_size.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "sim/kernel/input_error.hpp"

namespace tokenyard {
namespace {

using ::testing::HasSubstr;

const std::filesystem::path kData = std::filesystem::path(TOKENYARD_SOURCE_DIR) / "models";

std::int64_t blocks(const char* model, const char* device, int tensor, int pipeline = 1) {
  return kv_pool_blocks(load_model_spec(kData, model), load_device_spec(kData, device),
                        {tensor, pipeline}, 16);
}

std::string refusal(const char* model, const char* device, int tensor, int pipeline = 1) {
  try {
    blocks(model, device, tensor, pipeline);
  } catch (const InputError& error) {
    return error.what();
  }
  return "(accepted)";
}

// Would catch: any slip in the sizing rule. FastServe's published code gives these pools.
TEST(KvPoolSize, Opt13bHasFastServesPools) {
  EXPECT_EQ(blocks("opt-13b", "a100-40g", 1), 955);
  EXPECT_EQ(blocks("opt-13b", "a100-80g", 1), 3'871);
}

// Would catch: a block counted in tokens, or a pool that does not scale with the block's size.
TEST(KvPoolSize, BlocksOfOtherSizes) {
  const ModelSpec model = load_model_spec(kData, "opt-13b");
  const DeviceSpec device = load_device_spec(kData, "a100-40g");
  EXPECT_EQ(kv_pool_blocks(model, device, {1, 1}, 1), 15'281);
  EXPECT_EQ(kv_pool_blocks(model, device, {1, 1}, 32), 477);
}

// Would catch: weights or KV that tensor parallelism does not divide. Each of two devices holds
// half of the weights (12.85e9 bytes) and blocks of half the size:
// (38,225,208,934 − 12,853,473,280) / 6,553,600.
TEST(KvPoolSize, TensorParallelismDividesWeightsAndBlocks) {
  EXPECT_EQ(blocks("opt-13b", "a100-40g", 2), 3'871);
  EXPECT_GT(blocks("opt-66b", "a100-40g", 4), 0);
}

// Would catch: a pool sized by another than the fullest stage. Of OPT-13B's 40 layers each of two
// stages has 20, 12,585,574,400 bytes; the first has the tables of tokens and positions as well
// (50,272 and 2,050 rows of 5,120), the last the output matrix again and a norm, 21 MB less:
// (38,225,208,934 - 12,585,574,400 - 535,777,280) / 6,553,600.
TEST(KvPoolSize, APipelinesFullestStageDecides) {
  const ModelSpec model = load_model_spec(kData, "opt-13b");
  EXPECT_EQ(20 * model.layer_parameters() * 2, 12'585'574'400);
  EXPECT_EQ(blocks("opt-13b", "a100-40g", 1, 2), 3'830);
}

// Would catch: stages that no layer is left for; a stage that does not fit and is not named.
TEST(KvPoolSize, BadPipelinesAreRefusedWithTheirFigures) {
  EXPECT_THAT(refusal("opt-13b", "a100-40g", 1, 41), HasSubstr("41 stages for the 40 layers"));
  EXPECT_THAT(refusal("opt-175b", "a100-40g", 1, 4),
              HasSubstr("does not fit on 4 a100-40g in stage 1 of 4: its weights take"));
}

// Would catch: a negative pool, or a refusal that does not say by how much the model is too big.
TEST(KvPoolSize, AModelThatDoesNotFitIsRefusedWithItsFigures) {
  EXPECT_EQ(refusal("opt-66b", "a100-40g", 1),
            "opt-66b does not fit on 1 a100-40g: its weights take 122.4 GiB a device and one KV "
            "block of 16 tokens 0.0352 GiB, but only 35.6 of 40.0 GiB are usable");
  EXPECT_THAT(refusal("llama-3-70b", "h100-80g", 1), HasSubstr("does not fit on 1 h100-80g"));
  EXPECT_THAT(refusal("opt-13b", "a100-40g", 3), HasSubstr("3 does not divide the 40 heads"));
}

}  // namespace
}  // namespace tokenyard
