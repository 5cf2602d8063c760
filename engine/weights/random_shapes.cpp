#include "engine/weights/random_shapes.hpp"

namespace tokenyard {

const std::vector<RandomShape>& random_shapes() {
  static const std::vector<RandomShape> shapes = {
      {"llama-tiny", "f32",
       R"({"model_type": "llama", "num_hidden_layers": 2, "hidden_size": 64,
"num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 172, "vocab_size": 512,
"max_position_embeddings": 512, "rms_norm_eps": 1e-5})"},
      {"gpt2-tiny", "f32",
       R"({"model_type": "gpt2", "n_layer": 2, "n_embd": 64, "n_head": 4, "vocab_size": 512,
"n_positions": 512, "bos_token_id": 0, "eos_token_id": 0})"},
      {"opt-tiny", "f32",
       R"({"model_type": "opt", "num_hidden_layers": 2, "hidden_size": 64,
"num_attention_heads": 4, "ffn_dim": 256, "vocab_size": 512, "max_position_embeddings": 512})"},
      {"bloom-tiny", "f32",
       R"({"model_type": "bloom", "n_layer": 2, "hidden_size": 64, "n_head": 4, "vocab_size": 512,
"seq_length": 512})"},
      {"mpt-tiny", "f32",
       R"({"model_type": "mpt", "n_layers": 2, "d_model": 64, "n_heads": 4, "vocab_size": 512,
"max_seq_len": 512, "eos_token_id": 0})"},
      // The two shapes of the engine's measurements.
      {"llama-134m", "f32",
       R"({"model_type": "llama", "num_hidden_layers": 12, "hidden_size": 768,
"num_attention_heads": 12, "intermediate_size": 2048, "vocab_size": 32000,
"max_position_embeddings": 2048, "rms_norm_eps": 1e-5})"},
      {"llama-1.1b", "bf16",
       R"({"model_type": "llama", "num_hidden_layers": 22, "hidden_size": 2048,
"num_attention_heads": 32, "num_key_value_heads": 4, "intermediate_size": 5632,
"vocab_size": 32000, "max_position_embeddings": 2048, "rms_norm_eps": 1e-5})"},
      // As published (models/specs says where).
      {"gpt2", "f32",
       R"({"model_type": "gpt2", "n_layer": 12, "n_embd": 768, "n_head": 12, "vocab_size": 50257,
"n_positions": 1024})"},
      {"opt-125m", "f32",
       R"({"model_type": "opt", "num_hidden_layers": 12, "hidden_size": 768,
"num_attention_heads": 12, "ffn_dim": 3072, "vocab_size": 50272,
"max_position_embeddings": 2048})"},
      {"bloom-560m", "f32",
       R"({"model_type": "bloom", "n_layer": 24, "hidden_size": 1024, "n_head": 16,
"vocab_size": 250880, "seq_length": 2048})"},
  };
  return shapes;
}

}  // namespace tokenyard
