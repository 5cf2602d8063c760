#pragma once

#include <span>
#include <string_view>

#include "engine/architectures/checkpoint_reader.hpp"
#include "engine/model_config.hpp"
#include "engine/weights/model_weights.hpp"
#include "sim/kernel/strict_json.hpp"

namespace tokenyard {

/// A family of models: how its config.json reads, and where its checkpoints keep each tensor.
struct Architecture {
  std::string_view model_type;  ///< as config.json calls it
  /// Refuses settings that the engine has no code for by an `InputError` that names them.
  ModelConfig (*read_config)(const JsonObject& file);
  /// Fills the tensors of `weights`, whose config is read, and refuses what it has no place for.
  void (*map_tensors)(CheckpointReader& checkpoint, ModelWeights& weights);
};

/// All that there are. A new one is a file with the two functions, and a line in the table.
std::span<const Architecture> architectures();

/// The one that a config.json names; an unknown one is an `InputError` that lists those known.
const Architecture& find_architecture(const JsonObject& file);

ModelConfig read_llama_config(const JsonObject& file);
/// Mistral's models are llama's where no sliding window narrows the attention.
ModelConfig read_mistral_config(const JsonObject& file);
ModelConfig read_gpt2_config(const JsonObject& file);
ModelConfig read_opt_config(const JsonObject& file);
ModelConfig read_bloom_config(const JsonObject& file);
ModelConfig read_mpt_config(const JsonObject& file);

void map_llama_tensors(CheckpointReader& in, ModelWeights& weights);
void map_gpt2_tensors(CheckpointReader& in, ModelWeights& weights);
void map_opt_tensors(CheckpointReader& in, ModelWeights& weights);
void map_bloom_tensors(CheckpointReader& in, ModelWeights& weights);
void map_mpt_tensors(CheckpointReader& in, ModelWeights& weights);

}  // namespace tokenyard
