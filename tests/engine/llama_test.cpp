// Llama's config.json and checkpoints; and, with them, what all architectures share.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "engine/architectures/architecture.hpp"
#include "tests/engine/checkpoint_writer.hpp"
#include "tests/engine/weights_support.hpp"

namespace tokenyard {
namespace {

using test::CheckpointWriter;
using test::ModelFolder;
using test::row;
using ::testing::ElementsAre;
using ::testing::FloatEq;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kConfig = R"({"model_type": "llama", "architectures": ["LlamaForCausalLM"],
"num_hidden_layers": 2, "hidden_size": 4, "intermediate_size": 3, "num_attention_heads": 2,
"num_key_value_heads": 1, "vocab_size": 5, "max_position_embeddings": 64, "rms_norm_eps": 1e-05,
"rope_theta": 10000.0, "rope_scaling": null, "hidden_act": "silu", "tie_word_embeddings": false,
"attention_bias": false, "mlp_bias": false, "bos_token_id": 1, "eos_token_id": 2,
"pad_token_id": null, "torch_dtype": "float32"})";

/// The names are those of the Hugging Face library.
CheckpointWriter tensors(const std::string& prefix = "model.", bool biases = false) {
  CheckpointWriter file;
  file.add(prefix + "embed_tokens.weight", {5, 4}, 100);
  for (int i = 0; i < 2; ++i) {
    const std::string at = prefix + "layers." + std::to_string(i) + ".";
    const float first = 1000.0F * static_cast<float>(i);
    file.add(at + "input_layernorm.weight", {4}, first + 1);
    file.add(at + "self_attn.q_proj.weight", {4, 4}, first + 200);
    file.add(at + "self_attn.k_proj.weight", {2, 4}, first + 220);
    file.add(at + "self_attn.v_proj.weight", {2, 4}, first + 240);
    file.add(at + "self_attn.o_proj.weight", {4, 4}, first + 260);
    file.add(at + "self_attn.rotary_emb.inv_freq", {1}, 1);
    file.add(at + "post_attention_layernorm.weight", {4}, first + 5);
    file.add(at + "mlp.gate_proj.weight", {3, 4}, first + 300);
    file.add(at + "mlp.up_proj.weight", {3, 4}, first + 320);
    file.add(at + "mlp.down_proj.weight", {4, 3}, first + 340);
    if (!biases) continue;
    file.add(at + "self_attn.q_proj.bias", {4}, first + 400);
    file.add(at + "self_attn.k_proj.bias", {2}, first + 410);
    file.add(at + "self_attn.v_proj.bias", {2}, first + 420);
    file.add(at + "self_attn.o_proj.bias", {4}, first + 430);
    file.add(at + "mlp.gate_proj.bias", {3}, first + 440);
    file.add(at + "mlp.up_proj.bias", {3}, first + 450);
    file.add(at + "mlp.down_proj.bias", {4}, first + 460);
  }
  file.add(prefix + "norm.weight", {4}, 9);
  file.add("lm_head.weight", {5, 4}, 500);
  return file;
}

// Would catch: a tensor under another's name, of another layer, or a setting that is not taken
// over.
TEST(Llama, MapsEveryTensor) {
  const ModelWeights weights = ModelFolder(kConfig, tensors()).load();
  const ModelConfig& config = weights.config;
  EXPECT_EQ(config.architecture, "llama");
  EXPECT_EQ(config.layers, 2);
  EXPECT_EQ(config.kv_heads, 1);
  EXPECT_EQ(config.head_dim, 2);
  EXPECT_EQ(config.feed_forward, 3);
  EXPECT_EQ(config.context, 64);
  EXPECT_EQ(config.norm, NormKind::rms);
  EXPECT_EQ(config.norm_epsilon, 1e-5F);
  EXPECT_EQ(config.positions, PositionKind::rope);
  EXPECT_EQ(config.rope_pairs, RopePairs::halves);
  EXPECT_EQ(config.activation, Activation::silu);
  EXPECT_TRUE(config.gated);
  EXPECT_FALSE(config.tied_head);
  EXPECT_EQ(config.begin_token, 1);
  EXPECT_THAT(config.end_tokens, ElementsAre(2));
  const LayerWeights& layer = weights.layers.at(1);
  EXPECT_THAT(row(weights.embedding, 1), ElementsAre(104, 105, 106, 107));
  EXPECT_THAT(row(layer.attention_norm_scale), ElementsAre(1001, 1002, 1003, 1004));
  EXPECT_THAT(row(layer.query, 3), ElementsAre(1212, 1213, 1214, 1215));
  EXPECT_THAT(row(layer.key, 1), ElementsAre(1224, 1225, 1226, 1227));
  EXPECT_THAT(row(layer.value, 0), ElementsAre(1240, 1241, 1242, 1243));
  EXPECT_THAT(row(layer.output, 0), ElementsAre(1260, 1261, 1262, 1263));
  EXPECT_THAT(row(layer.feed_forward_norm_scale), ElementsAre(1005, 1006, 1007, 1008));
  EXPECT_THAT(row(layer.gate, 0), ElementsAre(1300, 1301, 1302, 1303));
  EXPECT_THAT(row(layer.up, 2), ElementsAre(1328, 1329, 1330, 1331));
  EXPECT_THAT(row(layer.down, 1), ElementsAre(1343, 1344, 1345));
  EXPECT_THAT(row(weights.final_norm_scale), ElementsAre(9, 10, 11, 12));
  EXPECT_THAT(row(weights.head, 4), ElementsAre(516, 517, 518, 519));
  EXPECT_TRUE(layer.query_bias.empty());
  EXPECT_TRUE(layer.attention_norm_shift.empty());
}

// Would catch: checkpoints of the bare model, with biases or with the embedding as the head
// refused.
TEST(Llama, VariantsInTheWild) {
  const ModelFolder bare(kConfig, tensors(""));
  EXPECT_EQ(row(bare.load().embedding, 0)[0], 100);

  const ModelFolder biased(kConfig, tensors("model.", true));
  EXPECT_EQ(biased.refusal_with("{", "{"),
            "model.safetensors: tensor \"model.layers.0.mlp.down_proj.bias\": is no part of the "
            "model that config.json describes");
  const ModelWeights weights = biased.load_with(R"("attention_bias": false, "mlp_bias": false)",
                                                R"("attention_bias": true, "mlp_bias": true)");
  EXPECT_THAT(row(weights.layers[1].key_bias), ElementsAre(1410, 1411));
  EXPECT_THAT(row(weights.layers[0].output_bias), ElementsAre(430, 431, 432, 433));
  EXPECT_THAT(row(weights.layers[0].gate_bias), ElementsAre(440, 441, 442));
  EXPECT_THAT(row(weights.layers[0].down_bias), ElementsAre(460, 461, 462, 463));

  const ModelFolder tied(kConfig, tensors());  // with a head that is not looked at
  const ModelWeights shared =
      tied.load_with("\"tie_word_embeddings\": false", "\"tie_word_embeddings\": true");
  EXPECT_EQ(shared.head.data, shared.embedding.data);
}

// Would catch: a type of element that is read as another, or mixed types noted as one.
TEST(Llama, ElementTypesAreKept) {
  CheckpointWriter file = tensors();
  const ModelFolder folder(
      R"({"model_type": "llama", "num_hidden_layers": 1, "hidden_size": 2, "intermediate_size": 1,
"num_attention_heads": 1, "vocab_size": 1, "tie_word_embeddings": true})",
      file);
  const auto stored = [&](const std::string& query_type, const std::string& type) {
    CheckpointWriter small;
    const auto add = [&](const std::string& name, const std::vector<std::int64_t>& shape,
                         std::size_t elements, const std::string& of) {
      small.add_bytes(name, of, shape, std::string((of == "F32" ? 4 : 2) * elements, '\1'));
    };
    add("model.embed_tokens.weight", {1, 2}, 2, "F32");
    add("model.norm.weight", {2}, 2, "F32");
    const std::string at = "model.layers.0.";
    add(at + "input_layernorm.weight", {2}, 2, "F32");
    add(at + "post_attention_layernorm.weight", {2}, 2, "F16");
    add(at + "self_attn.q_proj.weight", {2, 2}, 4, query_type);
    for (const char* name : {"k_proj", "v_proj", "o_proj"}) {
      add(at + "self_attn." + name + ".weight", {2, 2}, 4, type);
    }
    add(at + "mlp.gate_proj.weight", {1, 2}, 2, type);
    add(at + "mlp.up_proj.weight", {1, 2}, 2, type);
    add(at + "mlp.down_proj.weight", {2, 1}, 2, type);
    folder.files().write("model.safetensors", small.text());
    return folder.load().stored;
  };
  EXPECT_EQ(stored("BF16", "BF16"), ElementType::bf16);
  EXPECT_EQ(stored("F16", "F16"), ElementType::f16);
  EXPECT_EQ(stored("F32", "BF16"), ElementType::f32);
  EXPECT_EQ(stored("F16", "BF16"), ElementType::f32);
  EXPECT_THAT(test::refusal([&] { stored("I16", "F16"); }),
              HasSubstr("tensor \"model.layers.0.self_attn.q_proj.weight\": expected the type F32, "
                        "F16 or BF16, found I16"));
}

// Would catch: tensors that are missing, of another shape or too many, let pass.
TEST(Llama, RefusesCheckpointsThatDoNotFit) {
  const ModelFolder folder(kConfig, tensors());
  const std::string file = "model.safetensors: ";
  EXPECT_EQ(folder.refusal_with("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3"),
            file + "tensor \"model.layers.2.input_layernorm.weight\": missing; expected [4]");
  EXPECT_EQ(folder.refusal_with("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1"),
            file +
                "tensor \"model.layers.1.input_layernorm.weight\": is no part of the model that "
                "config.json describes");
  EXPECT_EQ(folder.refusal_with("\"vocab_size\": 5", "\"vocab_size\": 6"),
            file + "tensor \"model.embed_tokens.weight\": expected the shape [6, 4], found [5, 4]");
  EXPECT_EQ(folder.refusal_with("\"num_key_value_heads\": 1", "\"num_key_value_heads\": 2"),
            file +
                "tensor \"model.layers.0.self_attn.k_proj.weight\": expected the shape [4, 4], "
                "found [2, 4]");
  EXPECT_EQ(folder.refusal_with("\"num_key_value_heads\": 1", "\"num_key_value_heads\": null"),
            file +
                "tensor \"model.layers.0.self_attn.k_proj.weight\": expected the shape [4, 4], "
                "found [2, 4]")
      << "null means as many as heads";
  EXPECT_EQ(folder.refusal_of(CheckpointWriter().add("wte.weight", {5, 4})),
            "model.safetensors: tensor \"embed_tokens.weight\": missing; its name may begin with "
            "one of \"model.\", \"\"");
}

// Would catch: a head size that is worked out although the file says another.
TEST(Llama, HeadsMayBeWiderThanTheirShare) {
  const ModelFolder folder(kConfig, tensors());
  EXPECT_EQ(folder.load_with("\"hidden_act\"", "\"head_dim\": 2, \"hidden_act\"").config.head_dim,
            2);
  EXPECT_THAT(folder.refusal_with("\"hidden_act\"", "\"head_dim\": 8, \"hidden_act\""),
              HasSubstr("q_proj.weight\": expected the shape [16, 4], found [4, 4]"));
  EXPECT_THAT(folder.refusal_with("\"hidden_act\"", "\"head_dim\": 3, \"hidden_act\""),
              HasSubstr("/head_dim: expected heads of an even number of elements, found 3"));
  EXPECT_EQ(folder.refusal_with("\"hidden_act\"", "\"head_dim\": 258, \"hidden_act\""),
            "config.json:4: /head_dim: 2 heads of 258 elements are not supported; expected at most "
            "65536 of at most 256");
}

// Would catch: a rotation that the engine has no code for, or one read from the wrong key.
TEST(Llama, RopeSettings) {
  const ModelFolder folder(kConfig, tensors());
  const auto frequencies = [&](const std::string& settings) {
    return folder
        .load_with(R"("rope_theta": 10000.0, "rope_scaling": null)",
                   settings + R"(, "head_dim": 2)")
        .config.rope_frequencies;
  };
  const auto refused = [&](const std::string& settings) {
    return folder.refusal_with(R"("rope_theta": 10000.0, "rope_scaling": null)", settings);
  };
  const std::string llama3 = R"("factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
"original_max_position_embeddings": 2, "rope_type": "llama3")";
  EXPECT_THAT(frequencies(R"("a": 1)"), ElementsAre(1.0F));
  EXPECT_THAT(frequencies(R"("rope_scaling": {"type": "default"})"), ElementsAre(1.0F));
  EXPECT_THAT(frequencies(R"("rope_parameters": {"rope_theta": 5.0})"), ElementsAre(1.0F));
  // A pair that makes less than one turn in the original context of 2 tokens.
  EXPECT_THAT(frequencies("\"rope_scaling\": {" + llama3 + "}"), ElementsAre(FloatEq(0.125F)));
  EXPECT_THAT(frequencies("\"rope_parameters\": {" + llama3 + "}"), ElementsAre(FloatEq(0.125F)));
  EXPECT_EQ(refused(R"("rope_scaling": {"type": "linear", "factor": 2.0})"),
            "config.json:4: /rope_scaling/type: scaling \"linear\" is not supported; expected "
            "\"default\" or \"llama3\"");
  EXPECT_THAT(refused(R"("rope_parameters": {"rope_type": "yarn"})"),
              HasSubstr("/rope_parameters/rope_type: scaling \"yarn\" is not supported"));
  EXPECT_THAT(refused(R"("rope_scaling": {"factor": 2.0})"),
              HasSubstr("/rope_scaling/rope_type: missing"));
  EXPECT_THAT(refused(R"("rope_scaling": {"rope_type": "llama3"})"),
              HasSubstr("/rope_scaling/factor: missing"));
  EXPECT_THAT(refused(R"("partial_rotary_factor": 0.5)"), HasSubstr("only whole heads"));
  EXPECT_THAT(refused(R"("rope_theta": 0)"), HasSubstr("/rope_theta: expected a number from 1"));
  EXPECT_THAT(refused(R"("rope_scaling": {"type": "llama3", "factor": 8.0, "low_freq_factor": 4.0,
"high_freq_factor": 4.0, "original_max_position_embeddings": 2})"),
              HasSubstr("high_freq_factor: expected more than low_freq_factor"));
}

// Would catch: the base of the rotation ignored where it stands in the newer place.
TEST(Llama, TheNewerPlaceOfTheBaseWins) {
  const auto config = [](const std::string& rope) {
    return R"({"model_type": "llama", "num_hidden_layers": 2, "hidden_size": 4,
"intermediate_size": 3, "num_attention_heads": 1, "num_key_value_heads": 1, "vocab_size": 5, )" +
           rope + "}";
  };
  const auto base = [&](const std::string& rope) {
    const JsonObject file = JsonFile::parse(config(rope), "config.json");
    return find_architecture(file).read_config(file).rope_frequencies.at(1);
  };
  EXPECT_FLOAT_EQ(base(R"("rope_theta": 100.0)"), 0.1F);
  EXPECT_FLOAT_EQ(base(R"("rope_theta": 100.0, "rope_parameters": {"rope_theta": 10000.0})"),
                  0.01F);
  EXPECT_FLOAT_EQ(base(R"("rope_theta": 100.0, "rope_parameters": {})"), 0.1F);
}

// Would catch: one end token where there are several, one outside the vocabulary, or those of
// generation_config.json overlooked.
TEST(Llama, EndTokens) {
  const ModelFolder folder(kConfig, tensors());
  const auto ends = [&](const std::string& value) {
    return folder.load_with("\"eos_token_id\": 2", value).config.end_tokens;
  };
  EXPECT_THAT(ends("\"eos_token_id\": [2, 4]"), ElementsAre(2, 4));
  EXPECT_THAT(ends("\"eos_token_id\": null"), ElementsAre());
  EXPECT_THAT(ends("\"a\": 0"), ElementsAre(2)) << "left out, the architecture's own";
  EXPECT_EQ(folder.refusal_with("\"eos_token_id\": 2", "\"eos_token_id\": 5"),
            "config.json:5: /eos_token_id: expected an integer from 0 to 4, found 5");
  EXPECT_THAT(folder.refusal_with("\"eos_token_id\": 2", "\"eos_token_id\": [2, -1]"),
              HasSubstr("/eos_token_id/1: expected an integer from 0 to 4, found -1"));
  EXPECT_EQ(folder.load_with("\"bos_token_id\": 1", "\"bos_token_id\": null").config.begin_token,
            -1);
  folder.files().write("generation_config.json", R"({"eos_token_id": [3, 4], "temperature": 0.6})");
  EXPECT_THAT(ends("\"eos_token_id\": 2"), ElementsAre(3, 4));
  folder.files().write("generation_config.json", "{}");
  EXPECT_THAT(ends("\"eos_token_id\": 2"), ElementsAre(2));
  folder.files().write("generation_config.json", "[");
  EXPECT_THAT(test::refusal([&] { folder.load(); }), HasSubstr("generation_config.json:1: not"));
}

// Would catch: settings for which there is no code, and broken files, taken in silence.
TEST(Llama, RefusesConfigsByName) {
  const ModelFolder folder(kConfig, tensors());
  EXPECT_EQ(folder.refusal_with("\"llama\"", "\"gemma\""),
            "config.json:1: /model_type: unknown architecture \"gemma\"; known are llama, mistral, "
            "gpt2, opt, bloom, mpt");
  EXPECT_THAT(folder.refusal_with("\"model_type\"", "\"type\""), HasSubstr("/model_type: missing"));
  EXPECT_THAT(folder.refusal_with("\"silu\"", "\"mish\""),
              StartsWith("config.json:4: /hidden_act: unknown activation; known are relu, gelu"));
  EXPECT_THAT(folder.refusal_with("\"hidden_size\": 4", "\"hidden_size\": 5"),
              HasSubstr("/num_attention_heads: expected a divisor of the hidden size 5, found 2"));
  EXPECT_THAT(folder.refusal_with("\"hidden_size\": 4", "\"hidden_size\": 16777217"),
              HasSubstr("/hidden_size: expected an integer from 1 to 16777216"));
  EXPECT_THAT(folder.refusal_with("\"num_key_value_heads\": 1", "\"num_key_value_heads\": 3"),
              HasSubstr("/num_key_value_heads: expected a divisor of the 2 heads, found 3"));
  EXPECT_THAT(folder.refusal_with("\"hidden_act\"", "\"quantization_config\": {}, \"hidden_act\""),
              HasSubstr("/quantization_config: {} is not supported; expected null"));
  EXPECT_THAT(folder.refusal_with("1e-05", "-1"), HasSubstr("/rms_norm_eps: expected a number"));
  EXPECT_THAT(folder.refusal_with("{", ""), StartsWith("config.json:1: not valid JSON"));
}

// Would catch: a model that attends within a window run as if it did not, or one that is just llama
// refused for its name.
TEST(Llama, MistralWithoutAWindowIsLlama) {
  std::string config = kConfig;
  config.replace(config.find("\"llama\""), 7, "\"mistral\", \"sliding_window\": null");
  const ModelFolder folder(config, tensors());
  EXPECT_EQ(folder.load().config.architecture, "llama");
  const std::string null = "\"sliding_window\": null";
  EXPECT_EQ(folder.refusal_with(null, "\"sliding_window\": 32"),
            "config.json:1: /sliding_window: attention within a window of 32 tokens is not "
            "supported; expected null");
  EXPECT_EQ(folder.refusal_with(null, "\"sliding_window\": 64"), "(accepted)");
  EXPECT_EQ(folder.refusal_with(null, "\"a\": null"), "(accepted)")
      << "4096 covers a context of 64";
}

}  // namespace
}  // namespace tokenyard
