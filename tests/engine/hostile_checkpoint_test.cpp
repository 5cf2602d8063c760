// Damaged checkpoints: whatever stands in the files, they load or are refused as bad input.

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <string>

#include "sim/kernel/rng.hpp"
#include "tests/engine/checkpoint_writer.hpp"
#include "tests/engine/weights_support.hpp"

namespace tokenyard {
namespace {

using test::CheckpointWriter;
using test::TemporaryFolder;

constexpr const char* kConfig = R"({"model_type": "bloom", "n_layer": 1, "hidden_size": 2,
"n_head": 1, "vocab_size": 3, "seq_length": 4, "bos_token_id": 1, "eos_token_id": [1, 2]})";

std::string small_bloom() {
  CheckpointWriter file;
  const auto pair = [&](const std::string& name, const std::vector<std::int64_t>& shape) {
    file.add(name + ".weight", shape).add(name + ".bias", {shape[0]});
  };
  file.add("word_embeddings.weight", {3, 2});
  for (const char* name : {"word_embeddings_layernorm", "h.0.input_layernorm",
                           "h.0.post_attention_layernorm", "ln_f"}) {
    pair(name, {2});
  }
  pair("h.0.self_attention.query_key_value", {6, 2});
  pair("h.0.self_attention.dense", {2, 2});
  pair("h.0.mlp.dense_h_to_4h", {8, 2});
  pair("h.0.mlp.dense_4h_to_h", {2, 8});
  return file.text();
}

std::string small_llama2c() {
  std::string text;
  for (const std::int32_t field : {2, 1, 1, 1, 1, -2, 3}) {
    text.append(reinterpret_cast<const char*>(&field), sizeof field);
  }
  // Embedding, norms, four matrices, norms, three matrices, norms, tables, output layer.
  return text + std::string((4 + 2 + 16 + 2 + 6 + 2 + 6 + 4) * sizeof(float), '\1');
}

/// Writes a damaged text and loads; reads every row of what loads. Whether it did.
class Victim {
 public:
  Victim(const TemporaryFolder& folder, std::string file, std::string source)
      : folder_(folder), file_(std::move(file)), source_(std::move(source)) {}

  bool loads(const std::string& text) const {
    folder_.write(file_, text);
    try {
      const ModelWeights weights = load_weights(source_);
      for (const LayerWeights& layer : weights.layers) {
        for (const TensorView* view : {&layer.query, &layer.value_bias, &layer.down}) {
          if (!view->empty()) test::all_values(*view);
        }
      }
      test::all_values(weights.head);
      return true;
    } catch (const InputError&) {
      return false;
    }
  }

 private:
  const TemporaryFolder& folder_;
  std::string file_, source_;
};

/// Every prefix but the whole is refused.
void cut(const Victim& victim, const std::string& text) {
  for (std::size_t length = 0; length < text.size(); ++length) {
    ASSERT_FALSE(victim.loads(text.substr(0, length))) << length << " bytes";
  }
  ASSERT_TRUE(victim.loads(text));
}

/// Changes one to four bytes; most hits must be noticed somewhere, or the changes hit nothing.
void change(const Victim& victim, const std::string& text, std::size_t bytes, int rounds) {
  Rng rng = named_stream(1, "hostile checkpoints");
  int refused = 0;
  for (int i = 0; i < rounds; ++i) {
    std::string damaged = text;
    for (std::uint64_t k = 0; k <= rng() % 4; ++k) {
      // Half the changes are characters that mean something in JSON or in a small integer.
      constexpr std::string_view kTelling = "\"{}[]:,0189-.e\\\x00\x01\xff";
      const auto value =
          rng() % 2 == 0 ? static_cast<char>(rng() & 0xffU) : kTelling[rng() % kTelling.size()];
      damaged[rng() % bytes] = value;
    }
    if (!victim.loads(damaged)) ++refused;
  }
  EXPECT_GT(refused, rounds / 3);
}

// Would catch: a read beyond a header, a span or a file that is cut short.
TEST(HostileCheckpoint, NoPrefixOfASafetensorsFileCrashes) {
  const TemporaryFolder folder;
  folder.write("config.json", kConfig);
  cut(Victim(folder, "model.safetensors", folder.path()), small_bloom());
}

// Would catch: a damaged header that leads anywhere but to an `InputError`.
TEST(HostileCheckpoint, NoChangeOfASafetensorsFileCrashes) {
  const TemporaryFolder folder;
  folder.write("config.json", kConfig);
  const std::string text = small_bloom();
  const std::size_t header = text.find("}}") + 10;
  change(Victim(folder, "model.safetensors", folder.path()), text, header, 2000);
}

// Would catch: a damaged config that sizes something by what it says.
TEST(HostileCheckpoint, NoChangeOfAConfigCrashes) {
  const TemporaryFolder folder;
  folder.write("model.safetensors", small_bloom());
  const Victim victim(folder, "config.json", folder.path());
  change(victim, kConfig, std::string(kConfig).size(), 2000);
  for (std::size_t length = 0; length + 1 < std::string(kConfig).size(); ++length) {
    ASSERT_FALSE(victim.loads(std::string(kConfig).substr(0, length))) << length;
  }
}

// Would catch: the same in llama2.c's checkpoints, whose header is seven bare integers.
TEST(HostileCheckpoint, NoDamageOfALlama2cFileCrashes) {
  const TemporaryFolder folder;
  const Victim victim(folder, "model.bin", folder.path());
  cut(victim, small_llama2c());
  change(victim, small_llama2c(), 28, 2000);
}

}  // namespace
}  // namespace tokenyard
