// How a model's weights and its cache are stored is chosen by name.

#include "engine/engine_model.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/files.hpp"

namespace tokenyard {
namespace {

// Would catch: a tier that depends on anything but what was asked for and what is stored.
TEST(GemmKindOf, FollowsTheNameOrTheCheckpoint) {
  const GemmKind brief = gemm_available(GemmKind::bf16_dot) ? GemmKind::bf16_dot : GemmKind::bf16;
  EXPECT_EQ(gemm_kind_of("f32", ElementType::bf16), GemmKind::f32);
  EXPECT_EQ(gemm_kind_of("bf16", ElementType::f32), brief);
  EXPECT_EQ(gemm_kind_of("bf16-widened", ElementType::f32), GemmKind::bf16);
  EXPECT_EQ(gemm_kind_of("auto", ElementType::f32), GemmKind::f32);
  EXPECT_EQ(gemm_kind_of("auto", ElementType::f16), brief);
  EXPECT_THAT(test::refusal([] { gemm_kind_of("int8", ElementType::f32); }),
              testing::HasSubstr("'int8'"));
}

// Would catch: an option for the cache's pages that changes nothing, or not what it says.
TEST(EngineModel, KeepsKeysAndValuesAsAsked) {
  const auto element = [](const char* dtype, const char* kv_cache_dtype) {
    return EngineModel("random:llama-tiny", dtype, 1, kv_cache_dtype).kv_shape(16).element;
  };
  EXPECT_EQ(element("f32", "auto"), ElementType::f32);
  EXPECT_EQ(element("bf16", "auto"), ElementType::bf16);
  EXPECT_EQ(element("f32", "bf16"), ElementType::bf16);
  EXPECT_EQ(element("bf16-widened", "f32"), ElementType::f32);
  EXPECT_THAT(test::refusal([&] { element("f32", "f16"); }), testing::HasSubstr("'f16'"));
}

}  // namespace
}  // namespace tokenyard
