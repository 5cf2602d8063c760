#include "models/roofline_cost_model.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "sim/kernel/input_error.hpp"

namespace tokenyard {
namespace {

using ::testing::HasSubstr;

const std::filesystem::path kData = std::filesystem::path(TOKENYARD_SOURCE_DIR) / "models";

RooflineCostModel roofline(const char* model, const char* device, int tensor_parallel = 1) {
  return RooflineCostModel(load_model_spec(kData, model), load_device_spec(kData, device),
                           tensor_parallel);
}

double milliseconds(const RooflineCostModel& model, const IterationLoad& load) {
  return to_seconds(model.iteration(load)) * 1e3;
}

IterationLoad decodes(int sequences, std::int64_t context) {
  IterationLoad load;
  for (int i = 0; i < sequences; ++i) load.add_decode(context);
  return load;
}

IterationLoad prompt(std::int64_t tokens) {
  return IterationLoad::one_prefill(tokens, tokens);
}

// Would catch: a term or an efficiency that takes the model away from measured engines. Published
// with FastServe for OPT-13B on one A100-40G: 25.7 ms an iteration at batch 16, decode targets of
// multiples of 30 ms, prefill targets of multiples of 310 ms.
TEST(RooflineCostModel, Opt13bMeetsFastServesAnchors) {
  const auto model = roofline("opt-13b", "a100-40g");
  const double decode = milliseconds(model, decodes(16, 300));
  EXPECT_GE(decode, 25);
  EXPECT_LE(decode, 30);
  const double prefill = milliseconds(model, prompt(2048));
  EXPECT_GE(prefill, 300);
  EXPECT_LE(prefill, 340);
  EXPECT_GE(milliseconds(model, decodes(1, 300)), 22);  // light load: 24 to 34 ms a token
  EXPECT_LE(milliseconds(model, decodes(1, 300)), 34);
}

// Would catch: the two ends of the published range missed by more than the reason below explains.
// OPT-2.7B decodes in about 5 ms a token; its published prefill (80 ms for 1,024 tokens) is that of
// an older engine at a fifth of the device's peak and is not fitted. OPT-175B decodes in about
// 60 ms: on 16 devices in two pipeline stages of eight, which adds hand-overs between the stages to
// the time below.
TEST(RooflineCostModel, OtherAnchorsAreNear) {
  const double small = milliseconds(roofline("opt-2.7b", "a100-40g"), decodes(1, 512));
  EXPECT_GE(small, 4);
  EXPECT_LE(small, 7);
  const double large = milliseconds(roofline("opt-175b", "a100-40g", 8), decodes(16, 512));
  EXPECT_GE(large, 40);
  EXPECT_LE(large, 60);
}

// Would catch: linear layers far from measured ones. Vidur's public profile (MIT licence) of
// Llama-2-7b on an A100-80G, ms a layer: the sum of attn_pre_proj, attn_post_proj, mlp_up_proj and
// mlp_down_proj (medians). Whole-engine efficiency is below that of single kernels, so up to a
// quarter above is expected.
TEST(RooflineCostModel, LinearLayersFollowVidursProfile) {
  const struct {
    std::int64_t tokens;
    double layer_ms;
  } measured[] = {{1, 0.266},   {64, 0.278},   {256, 0.5025},
                  {512, 0.953}, {1024, 1.959}, {2048, 3.825}};
  const auto model = roofline("llama-2-7b", "a100-80g");
  for (const auto& [tokens, layer_ms] : measured) {
    const double ours = model.terms(prompt(tokens)).linear_s * 1e3 / 32;
    EXPECT_GE(ours, layer_ms * 0.9) << tokens;
    EXPECT_LE(ours, layer_ms * 1.25) << tokens;
  }
}

// Would catch: KV reads far from measured ones. The Frontier simulator's public profile (MIT
// licence) of Llama-2-7b on an A800 (an A100 with a slower link): a layer's decode attention of 16
// sequences takes 0.174 ms at a context of 1,024 and 0.318 ms at 2,048.
TEST(RooflineCostModel, DecodeAttentionFollowsFrontiersProfile) {
  const auto model = roofline("llama-2-7b", "a100-80g");
  EXPECT_NEAR(model.terms(decodes(16, 1024)).decode_attention_s * 1e3 / 32, 0.174, 0.02);
  EXPECT_NEAR(model.terms(decodes(16, 2048)).decode_attention_s * 1e3 / 32, 0.318, 0.05);
}

// Would catch: each of the formulas, worked out by hand for a device with round figures: 1 TFLOP/s,
// 1 GB/s, every efficiency 1, no overheads; a model of one layer.
TEST(RooflineCostModel, TermsAreTheFormulas) {
  ModelSpec model;
  model.name = "hand";
  model.layers = 1;
  model.hidden = model.heads = model.kv_heads = 4;
  model.head_dim = 1;
  model.feed_forward = 8;  // matrices: 4 x 4 x 4 + 2 x 4 x 8 = 128 weights, 256 bytes
  model.vocabulary = 10;   // 40 weights, 80 bytes
  model.positions = Positions::alibi;
  DeviceSpec device;
  device.flops_per_s = 1e12;
  device.memory_bandwidth_bytes_per_s = 1e9;
  device.link_bandwidth_bytes_per_s = 1e9;
  device.link_latency_s = 0.5;
  device.iteration_overhead_s = 3;
  device.layer_overhead_s = 2;
  const RooflineCostModel whole(model, device, 1);

  IterationLoad load = prompt(3);
  load.add_decode(7);
  RooflineTerms terms = whole.terms(load);
  EXPECT_DOUBLE_EQ(terms.overhead_s, 5);
  EXPECT_DOUBLE_EQ(terms.linear_s, 256e-9);             // bytes: 4 x 256 FLOPs take 1 ns
  EXPECT_DOUBLE_EQ(terms.prefill_attention_s, 48e-9);   // 3 tokens x 2 x 4 x 2 bytes of KV
  EXPECT_DOUBLE_EQ(terms.decode_attention_s, 112e-9);   // 7 tokens x 16 bytes
  EXPECT_DOUBLE_EQ(terms.activation_s, 4 * 2 * 64e-9);  // 40 + 2 x 8 + 8 elements a token
  EXPECT_DOUBLE_EQ(terms.output_layer_s, 80e-9);
  EXPECT_DOUBLE_EQ(terms.all_reduce_s, 0);

  // The other side of each roof: FLOPs decide.
  device.flops_per_s = 1e3;
  terms = RooflineCostModel(model, device, 1).terms(load);
  EXPECT_DOUBLE_EQ(terms.linear_s, 4 * 2 * 128e-3);
  EXPECT_DOUBLE_EQ(terms.prefill_attention_s, 4 * 4 * 4.5e-3);  // 3²/2 pairs
  EXPECT_DOUBLE_EQ(terms.output_layer_s, 2 * 2 * 40e-3);

  // Two devices: half of everything but overheads and whole rows; and two all-reduces a layer of
  // 4 tokens x 8 bytes, of which a ring of two moves 2 x 1/2.
  terms = RooflineCostModel(model, device, 2).terms(load);
  EXPECT_DOUBLE_EQ(terms.linear_s, 4 * 128e-3);
  EXPECT_DOUBLE_EQ(terms.prefill_attention_s, 2 * 4 * 4.5e-3);
  EXPECT_DOUBLE_EQ(terms.decode_attention_s, 56e-9);
  EXPECT_DOUBLE_EQ(terms.activation_s, 4 * 2 * (40 + 8 + 4) * 1e-9);
  EXPECT_DOUBLE_EQ(terms.all_reduce_s, 2 * (0.5 + 32e-9));
}

// Would catch: chunked prefill charged less (or more) attention than the whole prompt has: the
// pairs of the chunks must add up to those of the prompt.
TEST(RooflineCostModel, ChunksAttendToAsMuchAsTheWholePrompt) {
  const auto model = roofline("opt-13b", "a100-40g");
  const double whole = model.terms(prompt(2048)).prefill_attention_s;
  double chunked = 0;
  for (std::int64_t end = 512; end <= 2048; end += 512) {
    chunked += model.terms(IterationLoad::one_prefill(512, end)).prefill_attention_s;
  }
  EXPECT_NEAR(chunked, whole, whole * 1e-9);
  IterationLoad two = prompt(1000);
  two.add_prefill(1500, 1500);
  EXPECT_NEAR(
      model.terms(two).prefill_attention_s,
      model.terms(prompt(1000)).prefill_attention_s + model.terms(prompt(1500)).prefill_attention_s,
      1e-5);
}

// Would catch: an iteration that gets cheaper by a further prompt or decode, or a wrong rounding.
RC_GTEST_PROP(RooflineCostModel, MoreLoadNeverCostsLess, ()) {
  static const RooflineCostModel model = roofline("llama-3.1-8b", "a100-80g");
  IterationLoad load;
  for (int step = *rc::gen::inRange(0, 8); step > 0; --step) {
    const int chunk = *rc::gen::inRange(1, 2048);
    load.add_prefill(chunk, chunk);
  }
  for (int step = *rc::gen::inRange(0, 8); step > 0; --step) {
    load.add_decode(*rc::gen::inRange(1, 4096));
  }
  const Duration before = model.iteration(load);
  RC_ASSERT(before == from_seconds(model.terms(load).total_s()));
  IterationLoad longer = load;
  longer.add_decode(*rc::gen::inRange(1, 4096));
  RC_ASSERT(model.iteration(longer) >= before);
  longer = load;
  longer.add_prefill(100, 100);
  RC_ASSERT(model.iteration(longer) >= before);
}

// Would catch: tensor parallelism that does not speed a large model up, or is free.
TEST(RooflineCostModel, TensorParallelismDividesAndPays) {
  const auto load = decodes(16, 500);
  const RooflineTerms one = roofline("opt-66b", "a100-80g", 1).terms(load);
  const RooflineTerms four = roofline("opt-66b", "a100-80g", 4).terms(load);
  EXPECT_DOUBLE_EQ(four.linear_s, one.linear_s / 4);
  EXPECT_DOUBLE_EQ(four.decode_attention_s, one.decode_attention_s / 4);
  EXPECT_EQ(one.all_reduce_s, 0);
  EXPECT_GT(four.all_reduce_s, 0.001);
  EXPECT_LT(four.total_s(), one.total_s() / 2);
}

// Would catch: parallelism that cannot be, priced all the same.
TEST(RooflineCostModel, RefusesImpossibleParallelism) {
  EXPECT_THROW(roofline("opt-13b", "a100-40g", 3), InputError);
  try {
    roofline("opt-13b", "this-cpu", 2);
    FAIL() << "accepted";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("this-cpu has no link"));
  }
}

// Would catch: an iteration with nothing in it that takes time.
TEST(RooflineCostModel, AnEmptyIterationIsFree) {
  EXPECT_EQ(roofline("opt-13b", "a100-40g").iteration(IterationLoad()).count(), 0);
}

}  // namespace
}  // namespace tokenyard
