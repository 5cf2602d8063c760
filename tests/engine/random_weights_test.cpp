#include "engine/weights/random_weights.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <string>

#include "engine/weights/random_shapes.hpp"
#include "engine/weights/tensor_list.hpp"
#include "tests/engine/weights_support.hpp"

namespace tokenyard {
namespace {

using test::all_values;
using test::refusal;
using test::row;
using ::testing::HasSubstr;

std::vector<float> every_value(ModelWeights& weights) {
  std::vector<float> values;
  for (const TensorSlot& slot : tensor_slots(weights)) {
    const auto some = all_values(*slot.view);
    values.insert(values.end(), some.begin(), some.end());
  }
  return values;
}

// Would catch: a small shape whose config does not read, or one with a tensor missing or of another
// shape than the config says (`finish_weights` looks at each).
TEST(RandomWeights, EverySmallShapeLoads) {
  for (const RandomShape& shape : random_shapes()) {
    if (!shape.name.ends_with("-tiny")) continue;
    const ModelWeights weights = load_weights("random:" + std::string(shape.name));
    EXPECT_EQ(weights.config.layers, 2) << shape.name;
    EXPECT_EQ(weights.config.hidden, 64) << shape.name;
    EXPECT_EQ(weights.config.heads, 4) << shape.name;
    EXPECT_EQ(weights.config.vocabulary, 512) << shape.name;
    EXPECT_EQ(weights.config.context, 512) << shape.name;
    EXPECT_EQ(weights.config.tied_head, shape.name != "llama-tiny") << shape.name;
    EXPECT_EQ(weights.head.rows, 512) << shape.name;
  }
  EXPECT_EQ(load_weights("random:llama-tiny").config.kv_heads, 2);
}

// Would catch: draws that depend on the number of threads, on the address or on the seed's default;
// seeds that do not matter; tensors that are drawn alike.
TEST(RandomWeights, TheSeedDecidesEveryValue) {
  ModelWeights first = random_weights("llama-tiny");
  ModelWeights again = random_weights("llama-tiny,seed=1");
  ModelWeights other = random_weights("llama-tiny,seed=2");
  EXPECT_EQ(every_value(first), every_value(again));
  EXPECT_NE(every_value(first), every_value(other));
  std::set<std::vector<float>> beginnings;
  for (const TensorSlot& slot : tensor_slots(first)) {
    auto values = row(*slot.view);
    values.resize(16);
    EXPECT_TRUE(beginnings.insert(values).second) << slot.name;
  }
}

// Would catch: another stream, order of bits or formula, which would change every recorded output
// of a random model. Worked out by a program apart, from the description in the header.
TEST(RandomWeights, ValuesAreTheRecordedOnes) {
  const ModelWeights weights = random_weights("llama-tiny");
  const auto values = row(weights.layers[0].query);
  EXPECT_FLOAT_EQ(values[0], 0.041777637F);
  EXPECT_FLOAT_EQ(values[1], -0.10067466F);
  EXPECT_FLOAT_EQ(values[63], -0.28777874F);
}

// Would catch: bf16 values that are drawn anew or cut off instead of rounded to the nearest.
TEST(RandomWeights, Bf16RoundsTheSameValues) {
  const ModelWeights wide = random_weights("gpt2-tiny");
  const ModelWeights narrow = random_weights("gpt2-tiny,dtype=bf16");
  EXPECT_EQ(wide.stored, ElementType::f32);
  EXPECT_EQ(narrow.stored, ElementType::bf16);
  const auto exact = all_values(wide.layers[1].down);
  const auto rounded = all_values(narrow.layers[1].down);
  double signed_sum = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    ASSERT_NEAR(rounded[i], exact[i], std::abs(exact[i]) / 256) << i;
    signed_sum += std::abs(rounded[i]) - std::abs(exact[i]);
  }
  EXPECT_LT(std::abs(signed_sum) / static_cast<double>(exact.size()), 1e-5);
}

// Would catch: values that make activations fade or explode, or a distribution that is skewed.
TEST(RandomWeights, DeviationsAreAsDocumented) {
  const ModelWeights weights = random_weights("bloom-tiny");
  const auto spread = [](const TensorView& view) {
    const auto values = all_values(view);
    double sum = 0;
    double squares = 0;
    for (const float value : values) {
      sum += value;
      squares += static_cast<double>(value) * value;
    }
    const double mean = sum / static_cast<double>(values.size());
    return std::pair(mean, std::sqrt(squares / static_cast<double>(values.size()) - mean * mean));
  };
  const LayerWeights& layer = weights.layers[1];
  EXPECT_NEAR(spread(layer.up).first, 0.0, 0.005);
  EXPECT_NEAR(spread(layer.up).second, 1.0 / 8, 0.003);                    // inputs 64
  EXPECT_NEAR(spread(layer.query).second, 2.0 / 8, 0.006);                 // twice
  EXPECT_NEAR(spread(layer.down).second, 1.0 / 16 / std::sqrt(2), 0.002);  // inputs 256, layers 2
  EXPECT_NEAR(spread(layer.query_bias).second, 0.1, 0.03);
  EXPECT_NEAR(spread(layer.attention_norm_scale).first, 1.0, 0.05);
  EXPECT_NEAR(spread(layer.attention_norm_scale).second, 0.1, 0.03);
  EXPECT_NEAR(spread(weights.embedding).second, 1.0, 0.02);
  EXPECT_NEAR(spread(weights.final_norm_scale).first, 0.0, 0.2);
  EXPECT_NEAR(spread(weights.final_norm_scale).second, 3.0 / 8, 0.1);
}

// Would catch: a slip in a name or setting that is taken in silence.
TEST(RandomWeights, RefusesWhatItDoesNotKnow) {
  const auto refused = [](const std::string& what) {
    return refusal([&] { random_weights(what); });
  };
  EXPECT_THAT(refused("lama-tiny"),
              HasSubstr("random:lama-tiny: unknown model (did you mean 'llama-tiny'?); known are"));
  EXPECT_THAT(refused(""), HasSubstr("unknown model"));
  EXPECT_EQ(refused("gpt2-tiny,seed=x"),
            "random:gpt2-tiny,seed=x: expected seed=N or dtype=f32|bf16, found \"seed=x\"");
  EXPECT_THAT(refused("gpt2-tiny,seed=-1"), HasSubstr("found \"seed=-1\""));
  EXPECT_THAT(refused("gpt2-tiny,dtype=f16"), HasSubstr("found \"dtype=f16\""));
  EXPECT_THAT(refused("gpt2-tiny,"), HasSubstr("found \"\""));
}

// Would catch: a published shape with a wrong size. Counts as in models/specs; position rows and
// shared tensors counted once.
TEST(RandomWeights, BigShapesHaveThePublishedNumberOfParameters) {
  const auto parameters = [](const char* name) {
    ModelWeights weights;
    for (const RandomShape& shape : random_shapes()) {
      if (shape.name == name) weights.config = random_config(shape);
    }
    std::int64_t count = 0;
    for (const TensorSlot& slot : tensor_slots(weights)) count += slot.rows * slot.columns;
    return count;
  };
  EXPECT_EQ(parameters("gpt2"), 124'439'808);
  EXPECT_EQ(parameters("opt-125m"), 125'239'296);
  EXPECT_EQ(parameters("bloom-560m"), 559'214'592);
  EXPECT_EQ(parameters("llama-134m"), 134'105'856);
  EXPECT_EQ(parameters("llama-1.1b"), 1'100'048'384);  // TinyLlama's
}

}  // namespace
}  // namespace tokenyard
