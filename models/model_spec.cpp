#include "models/model_spec.hpp"

#include <fmt/format.h>

#include "models/spec_files.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/kernel/strict_json.hpp"

namespace tokenyard {

namespace {

constexpr std::int64_t kSizeMost = 10'000'000;  // keeps every product within 64 bits

std::filesystem::path folder(const std::filesystem::path& data) {
  return data / "specs";
}

Positions read_positions(const JsonObject& file) {
  const std::string positions = file.choice("positions", {"learned", "rope", "alibi"});
  if (positions == "learned") return Positions::learned;
  return positions == "rope" ? Positions::rope : Positions::alibi;
}

}  // namespace

std::int64_t ModelSpec::layer_matrix_parameters() const {
  const std::int64_t attention = hidden * (query_columns() + 2 * kv_columns()) +  // q, k, v
                                 query_columns() * hidden;                        // output
  return attention + (gated ? 3 : 2) * hidden * feed_forward;
}

std::int64_t ModelSpec::layer_parameters() const {
  const std::int64_t attention_bias = query_columns() + 2 * kv_columns() + hidden;
  const std::int64_t feed_forward_bias = (gated ? 2 : 1) * feed_forward + hidden;
  return layer_matrix_parameters() + 2 * norm_parameters() +
         (bias ? attention_bias + feed_forward_bias : 0);
}

std::int64_t ModelSpec::embedding_parameters() const {
  return vocabulary * hidden + position_rows * hidden + (embedding_norm ? norm_parameters() : 0);
}

std::int64_t ModelSpec::parameters() const {
  return layers * layer_parameters() + embedding_parameters() + norm_parameters() +
         (tied_embeddings ? 0 : output_matrix_parameters());
}

ModelSpec load_model_spec(const std::filesystem::path& data, std::string_view name) {
  const JsonObject file = read_spec_file(folder(data), "model", name);
  ModelSpec model;
  model.name = name;
  model.source = file.string("source");
  model.layers = file.integer("layers", 1, 10'000);
  model.hidden = file.integer("hidden", 1, 1'000'000);
  model.heads = file.integer("heads", 1, 10'000);
  model.kv_heads = file.integer("kv_heads", 1, model.heads);
  model.head_dim = file.integer("head_dim", 1, 10'000);
  model.feed_forward = file.integer("feed_forward", 1, kSizeMost);
  model.gated = file.flag("gated");
  model.vocabulary = file.integer("vocabulary", 1, kSizeMost);
  model.tied_embeddings = file.flag("tied_embeddings");
  model.context = file.integer("context", 2, 1'000'000'000);
  model.positions = read_positions(file);
  if (model.positions == Positions::learned) {
    model.position_rows = file.integer("position_rows", model.context, kSizeMost);
  }
  model.bias = file.flag("bias");
  model.norm_bias = file.flag("norm_bias");
  model.embedding_norm = file.flag("embedding_norm");
  model.dtype_bytes = file.integer("dtype_bytes", 1, 8);
  if (model.heads % model.kv_heads != 0) {
    file.refuse("kv_heads", fmt::format("expected a divisor of the {} heads, found {}", model.heads,
                                        model.kv_heads));
  }
  file.refuse_unread();
  return model;
}

std::vector<std::string> list_models(const std::filesystem::path& data) {
  return list_spec_names(folder(data));
}

void check_tensor_parallel(const ModelSpec& model, int tensor_parallel) {
  if (tensor_parallel < 1) {
    throw InputError(fmt::format("tensor parallelism: expected an integer of at least 1, found {}",
                                 tensor_parallel));
  }
  if (model.heads % tensor_parallel != 0) {
    throw InputError(fmt::format("tensor parallelism: {} does not divide the {} heads of {}",
                                 tensor_parallel, model.heads, model.name));
  }
  if (model.kv_heads % tensor_parallel != 0 && tensor_parallel % model.kv_heads != 0) {
    throw InputError(
        fmt::format("tensor parallelism: {} neither divides the {} KV heads of {} nor is a "
                    "multiple of them",
                    tensor_parallel, model.kv_heads, model.name));
  }
}

std::int64_t kv_bytes_per_token_and_device(const ModelSpec& model, int tensor_parallel) {
  const std::int64_t kv_heads =
      tensor_parallel >= model.kv_heads ? 1 : model.kv_heads / tensor_parallel;
  return model.kv_bytes_per_token() / model.kv_heads * kv_heads;
}

}  // namespace tokenyard
