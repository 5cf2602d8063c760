#include "engine/weights/model_weights.hpp"

#include <filesystem>

#include "engine/architectures/architecture.hpp"
#include "engine/architectures/checkpoint_reader.hpp"
#include "engine/architectures/config_file.hpp"
#include "engine/weights/llama2c.hpp"
#include "engine/weights/random_weights.hpp"
#include "engine/weights/safetensors.hpp"
#include "engine/weights/tensor_list.hpp"
#include "sim/kernel/input_error.hpp"

namespace tokenyard {
namespace {

ModelWeights load_hugging_face(const std::filesystem::path& folder) {
  const JsonObject file = JsonFile::read((folder / "config.json").string());
  const Architecture& architecture = find_architecture(file);
  ModelWeights weights;
  weights.config = architecture.read_config(file);
  require_absent(file, "quantization_config");
  const auto generation = folder / "generation_config.json";
  std::error_code unknown;
  if (std::filesystem::exists(generation, unknown)) {
    read_generation_config(JsonFile::read(generation.string()), weights.config);
  }
  CheckpointReader checkpoint(SafetensorsCheckpoint::open(folder.string()));
  architecture.map_tensors(checkpoint, weights);
  weights.memory = checkpoint.memory();
  finish_weights(weights);
  return weights;
}

}  // namespace

ModelWeights load_weights(const std::string& source) {
  constexpr std::string_view kRandom = "random:";
  if (source.starts_with(kRandom)) {
    return random_weights(std::string_view(source).substr(kRandom.size()));
  }
  std::error_code unknown;
  if (std::filesystem::exists(std::filesystem::path(source) / "config.json", unknown)) {
    return load_hugging_face(source);
  }
  return load_llama2c(source);
}

}  // namespace tokenyard
