#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace tokenyard {

/// How positions enter the model. Only learned ones have parameters.
enum class Positions : std::uint8_t { learned, rope, alibi };

/// The shape of a decoder-only Transformer, from a data file `specs/NAME.json` that states its
/// source. A value type. All sizes are exact: `parameters` gives the published count.
struct ModelSpec {
  std::string name;
  std::string source;
  std::int64_t layers = 0;
  std::int64_t hidden = 0;
  std::int64_t heads = 0;
  std::int64_t kv_heads = 0;  ///< fewer than `heads`: grouped-query attention
  std::int64_t head_dim = 0;
  std::int64_t feed_forward = 0;
  bool gated = false;  ///< three feed-forward matrices (SwiGLU) instead of two
  std::int64_t vocabulary = 0;
  bool tied_embeddings = false;  ///< the output layer shares the embedding's weights
  std::int64_t context = 0;      ///< most tokens of prompt and output together
  Positions positions = Positions::rope;
  std::int64_t position_rows = 0;  ///< rows of the learned positions, else 0
  bool bias = false;               ///< linear layers have biases
  bool norm_bias = false;          ///< norms have biases (LayerNorm), else scales only (RMSNorm)
  bool embedding_norm = false;     ///< a norm right after the embedding (BLOOM)
  std::int64_t dtype_bytes = 2;    ///< bytes of a weight and of a KV element

  /// Columns of the query projection, and of the key (and of the value) projection.
  std::int64_t query_columns() const { return heads * head_dim; }
  std::int64_t kv_columns() const { return kv_heads * head_dim; }

  /// Weights of one layer's matrices (attention and feed-forward), without biases and norms.
  std::int64_t layer_matrix_parameters() const;
  /// Of one norm.
  std::int64_t norm_parameters() const { return hidden * (norm_bias ? 2 : 1); }
  /// Weights of the output layer, shared or not.
  std::int64_t output_matrix_parameters() const { return vocabulary * hidden; }
  /// All parameters of one layer.
  std::int64_t layer_parameters() const;
  /// The tables of tokens and positions, with a norm of their own where there is one.
  std::int64_t embedding_parameters() const;
  /// All parameters; shared ones count once.
  std::int64_t parameters() const;
  std::int64_t weight_bytes() const { return parameters() * dtype_bytes; }
  /// Bytes of keys and values of one token in all layers.
  std::int64_t kv_bytes_per_token() const { return 2 * layers * kv_columns() * dtype_bytes; }
};

/// Reads the model `name` from `data`/specs. Throws `InputError`.
ModelSpec load_model_spec(const std::filesystem::path& data, std::string_view name);

/// The names of the models in `data`/specs, sorted.
std::vector<std::string> list_models(const std::filesystem::path& data);

/// Throws an `InputError` unless the model can be cut into `tensor_parallel` equal parts: it must
/// divide the heads, and divide the KV heads or be a multiple of them (then each KV head is
/// replicated, as vLLM does).
void check_tensor_parallel(const ModelSpec& model, int tensor_parallel);

/// Bytes of keys and values of one token on each device of a tensor-parallel group. A KV head is
/// never cut: with fewer KV heads than devices each device holds a whole one.
std::int64_t kv_bytes_per_token_and_device(const ModelSpec& model, int tensor_parallel);

}  // namespace tokenyard
