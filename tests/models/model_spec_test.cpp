#include "models/model_spec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <string>

#include "sim/kernel/input_error.hpp"
#include "tests/support/files.hpp"

namespace tokenyard {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::filesystem::path kData = std::filesystem::path(TOKENYARD_SOURCE_DIR) / "models";

std::string refusal(const std::function<void()>& action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.what();
  }
  return "(accepted)";
}

/// A folder with one model file, tiny.json, in which a text is replaced.
class TinyModel : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(data_ / "specs"); }

  std::string refusal_with(const std::string& from, const std::string& to) {
    std::string text = R"({"name": "tiny", "source": "made up", "layers": 2, "hidden": 8,
"heads": 4, "kv_heads": 2, "head_dim": 2, "feed_forward": 16, "gated": true, "vocabulary": 32,
"tied_embeddings": false, "context": 64, "positions": "rope", "bias": false,
"norm_bias": false, "embedding_norm": false, "dtype_bytes": 2})";
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    std::ofstream(data_ / "specs" / "tiny.json") << text;
    return refusal([this] { load_model_spec(data_, "tiny"); });
  }

  const test::TemporaryFolder folder_;
  const std::filesystem::path data_ = folder_.path();
};

// Would catch: a wrong figure in a data file or in the formula. The counts are those published with
// the weights (the sum of the tensors' sizes on the model's page).
TEST(ModelSpec, ParameterCountsAreThePublishedOnes) {
  const std::map<std::string, std::int64_t> published = {
      {"gpt2", 124'439'808},           {"opt-125m", 125'239'296},
      {"opt-1.3b", 1'315'758'080},     {"opt-2.7b", 2'651'596'800},
      {"opt-13b", 12'853'473'280},     {"bloom-560m", 559'214'592},
      {"bloom-176b", 176'247'271'424}, {"llama-2-7b", 6'738'415'616},
      {"llama-2-13b", 13'015'864'320}, {"llama-2-70b", 68'976'648'192},
      {"llama-3-8b", 8'030'261'248},   {"llama-3-70b", 70'553'706'496},
      {"llama-3.1-8b", 8'030'261'248}, {"llama-3.1-70b", 70'553'706'496}};
  for (const auto& [name, count] : published) {
    EXPECT_EQ(load_model_spec(kData, name).parameters(), count) << name;
  }
  // Of these only the rounded count is published.
  EXPECT_NEAR(static_cast<double>(load_model_spec(kData, "opt-66b").parameters()), 66e9, 0.5e9);
  EXPECT_NEAR(static_cast<double>(load_model_spec(kData, "opt-175b").parameters()), 175e9, 0.5e9);
  EXPECT_NEAR(static_cast<double>(load_model_spec(kData, "mpt-30b").parameters()), 30e9, 0.1e9);
}

// Would catch: a KV size that forgets keys or values, layers, or grouped-query attention. Anchors:
// FastServe's models, and Llama-3's eight KV heads.
TEST(ModelSpec, KvBytesPerToken) {
  EXPECT_EQ(load_model_spec(kData, "opt-13b").kv_bytes_per_token(), 819'200);
  EXPECT_EQ(load_model_spec(kData, "opt-66b").kv_bytes_per_token(), 2'359'296);
  EXPECT_EQ(load_model_spec(kData, "opt-175b").kv_bytes_per_token(), 4'718'592);
  EXPECT_EQ(load_model_spec(kData, "llama-3-8b").kv_bytes_per_token(), 131'072);
}

// Would catch: a context that lets requests in which the model cannot serve.
TEST(ModelSpec, Contexts) {
  const std::map<std::string, std::int64_t> contexts = {
      {"gpt2", 1024},        {"opt-13b", 2048}, {"bloom-176b", 2048},    {"llama-2-7b", 4096},
      {"llama-3-70b", 8192}, {"mpt-30b", 8192}, {"llama-3.1-8b", 131072}};
  for (const auto& [name, context] : contexts) {
    EXPECT_EQ(load_model_spec(kData, name).context, context) << name;
  }
}

// Would catch: a data file that does not read, states no source, or is left out of the list.
TEST(ModelSpec, EveryFileReadsAndStatesItsSource) {
  const auto names = list_models(kData);
  EXPECT_THAT(names, ElementsAre("bloom-176b", "bloom-560m", "gpt2", "llama-2-13b", "llama-2-70b",
                                 "llama-2-7b", "llama-3-70b", "llama-3-8b", "llama-3.1-70b",
                                 "llama-3.1-8b", "mpt-30b", "opt-1.3b", "opt-125m", "opt-13b",
                                 "opt-175b", "opt-2.7b", "opt-66b"));
  for (const auto& name : names) {
    const ModelSpec model = load_model_spec(kData, name);
    EXPECT_FALSE(model.source.empty()) << name;
    EXPECT_EQ(model.query_columns(), model.hidden) << name;
  }
}

// Would catch: an unknown name that opens some file, or a slip without a hint.
TEST(ModelSpec, UnknownNamesAreRefused) {
  EXPECT_EQ(refusal([] { load_model_spec(kData, "opt-13B"); }),
            "unknown model 'opt-13B' (did you mean 'opt-13b'?)");
  EXPECT_THAT(refusal([] { load_model_spec(kData, "../devices/h200"); }),
              HasSubstr("unknown model '../devices/h200'"));
  EXPECT_THAT(refusal([] { load_model_spec(kData, "qqqqqqqqqq"); }), HasSubstr("known are bloom"));
  EXPECT_THAT(refusal([] { load_model_spec("/nonexistent", "gpt2"); }),
              HasSubstr("/nonexistent/specs: cannot list this folder"));
}

// Would catch: a data file with a slip that is taken in silence.
TEST_F(TinyModel, FilesAreReadStrictly) {
  EXPECT_EQ(refusal_with("made up", "made up"), "(accepted)");
  const std::string file = (data_ / "specs" / "tiny.json").string();
  EXPECT_EQ(refusal_with("\"kv_heads\": 2", "\"kv_heads\": 3"),
            file + ":2: /kv_heads: expected a divisor of the 4 heads, found 3");
  EXPECT_EQ(refusal_with("\"layers\": 2", "\"layers\": -2"),
            file + ":1: /layers: expected an integer from 1 to 10000, found -2");
  EXPECT_THAT(refusal_with("\"gated\": true", "\"gated\": 1"),
              HasSubstr(":2: /gated: expected true or false, found 1"));
  EXPECT_THAT(refusal_with("\"context\": 64", "\"context\": 64.5"), HasSubstr("/context: "));
  EXPECT_THAT(refusal_with("\"bias\"", "\"biases\""), HasSubstr("/bias: missing"));
  EXPECT_THAT(refusal_with("\"source\"", "\"extra\": 1, \"source\""),
              HasSubstr("/extra: unknown key"));
  EXPECT_THAT(refusal_with("\"rope\"", "\"learned\""), HasSubstr("/position_rows: missing"));
  EXPECT_THAT(refusal_with("\"rope\"", "\"rotary\""), HasSubstr("found \"rotary\""));
  EXPECT_THAT(refusal_with("\"tiny\"", "\"small\""), HasSubstr("expected \"tiny\", as the file"));
}

// Would catch: a model cut into unequal parts.
TEST(ModelSpec, TensorParallelismMustDivideTheHeads) {
  const ModelSpec opt = load_model_spec(kData, "opt-13b");        // 40 heads, 40 KV heads
  const ModelSpec llama = load_model_spec(kData, "llama-3-70b");  // 64 heads, 8 KV heads
  for (const int degree : {1, 2, 4, 8, 10, 40}) EXPECT_NO_THROW(check_tensor_parallel(opt, degree));
  for (const int degree : {1, 8, 16, 64}) EXPECT_NO_THROW(check_tensor_parallel(llama, degree));
  EXPECT_EQ(refusal([&] { check_tensor_parallel(opt, 16); }),
            "tensor parallelism: 16 does not divide the 40 heads of opt-13b");
  EXPECT_THAT(refusal([&] { check_tensor_parallel(opt, 0); }), HasSubstr("at least 1, found 0"));
  EXPECT_NE(refusal([&] { check_tensor_parallel(opt, -2); }), "(accepted)");
}

// Would catch: KV heads that vanish when there are fewer of them than devices.
TEST(ModelSpec, KvHeadsAreReplicatedNotCut) {
  const ModelSpec llama = load_model_spec(kData, "llama-3-70b");
  const std::int64_t whole = llama.kv_bytes_per_token();
  EXPECT_EQ(kv_bytes_per_token_and_device(llama, 1), whole);
  EXPECT_EQ(kv_bytes_per_token_and_device(llama, 4), whole / 4);
  EXPECT_EQ(kv_bytes_per_token_and_device(llama, 8), whole / 8);
  EXPECT_EQ(kv_bytes_per_token_and_device(llama, 16), whole / 8);
}

}  // namespace
}  // namespace tokenyard
