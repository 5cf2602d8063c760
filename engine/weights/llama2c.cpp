#include "engine/weights/llama2c.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <filesystem>
#include <memory>
#include <utility>
#include <vector>

#include "engine/architectures/positions.hpp"
#include "engine/weights/mapped_file.hpp"
#include "engine/weights/tensor_list.hpp"
#include "sim/kernel/input_error.hpp"

namespace tokenyard {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::size_t kHeaderBytes = 28;
constexpr std::uint32_t kNewerMagic = 0x616b3432;  // "ak42"
constexpr double kRopeBase = 10000.0;

std::int32_t read_integer(Bytes bytes, std::size_t at) {
  std::uint32_t bits = 0;
  for (std::size_t i = 4; i-- > 0;)
    bits = bits << 8U | std::to_integer<std::uint32_t>(bytes[at + i]);
  return std::bit_cast<std::int32_t>(bits);
}

/// A tokenizer is the longest token's length, then of each token a score (f32), its length and its
/// characters, just up to the end of the file.
bool is_tokenizer(Bytes bytes) {
  constexpr std::int32_t kLongestMost = 4096;
  if (bytes.size() < 12) return false;
  const std::int32_t longest = read_integer(bytes, 0);
  if (longest < 1 || longest > kLongestMost) return false;
  std::size_t at = 4;
  while (bytes.size() - at >= 8) {
    const std::int32_t length = read_integer(bytes, at + 4);
    if (length < 0 || length > longest) return false;
    at += 8;
    if (bytes.size() - at < static_cast<std::size_t>(length)) return false;
    at += static_cast<std::size_t>(length);
  }
  return at == bytes.size();
}

using File = std::shared_ptr<const MappedFile>;

/// The files of a folder that end in .bin and are no tokenizer, by name.
std::vector<File> model_files(const std::string& folder) {
  std::vector<std::string> paths;
  std::error_code failed;
  for (auto entry = std::filesystem::directory_iterator(folder, failed);
       !failed && entry != std::filesystem::directory_iterator(); entry.increment(failed)) {
    if (entry->path().extension() == ".bin") paths.push_back(entry->path().string());
  }
  if (failed) throw InputError(folder, 0, "", "cannot list this folder");
  std::sort(paths.begin(), paths.end());
  std::vector<File> files;
  for (const std::string& path : paths) {
    File file = MappedFile::open(path);
    if (!is_tokenizer(file->bytes())) files.push_back(std::move(file));
  }
  return files;
}

File find_model(const std::string& path) {
  std::error_code unknown;
  if (!std::filesystem::is_directory(path, unknown)) return MappedFile::open(path);
  const auto files = model_files(path);
  if (files.size() == 1) return files.front();
  throw InputError(path, 0, "",
                   files.empty() ? "neither config.json nor a llama2.c checkpoint (*.bin) is here"
                                 : fmt::format("several llama2.c checkpoints: {} and {}",
                                               files[0]->path(), files[1]->path()));
}

ModelConfig read_config(const MappedFile& file) {
  const Bytes bytes = file.bytes();
  if (bytes.size() < kHeaderBytes) {
    throw InputError(file.path(), 0, "",
                     fmt::format("only {} bytes; expected a llama2.c checkpoint", bytes.size()));
  }
  if (std::bit_cast<std::uint32_t>(read_integer(bytes, 0)) == kNewerMagic) {
    throw InputError(file.path(), 0, "",
                     fmt::format("a llama2.c checkpoint of version {}; expected a legacy one",
                                 read_integer(bytes, 4)));
  }
  ModelConfig config;
  const std::array<std::pair<const char*, std::int32_t*>, 7> fields = {
      {{"dim", &config.hidden},
       {"hidden_dim", &config.feed_forward},
       {"n_layers", &config.layers},
       {"n_heads", &config.heads},
       {"n_kv_heads", &config.kv_heads},
       {"vocab_size", &config.vocabulary},
       {"seq_len", &config.context}}};
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const auto& [name, field] = fields[i];
    *field = read_integer(bytes, 4 * i);
    const bool may_be_negative = field == &config.vocabulary;
    config.tied_head = config.tied_head || (may_be_negative && *field > 0);
    if (may_be_negative && *field < 0 && *field >= -kModelSizeMost) *field = -*field;
    if (*field >= 1 && *field <= kModelSizeMost) continue;
    throw InputError(file.path(), 0, name,
                     fmt::format("expected an integer from 1 to {}, found {}; is this a llama2.c "
                                 "checkpoint?",
                                 kModelSizeMost, *field));
  }
  return config;
}

/// What the header does not say.
void complete(ModelConfig& config, const MappedFile& file) {
  const auto divides = [&](std::int32_t whole, std::int32_t part) { return whole % part == 0; };
  const std::int32_t head_dim = config.hidden / config.heads;
  if (!divides(config.hidden, 2 * config.heads) || !divides(config.heads, config.kv_heads)) {
    throw InputError(file.path(), 0, "n_heads",
                     fmt::format("{} heads and {} KV heads do not share a dim of {}", config.heads,
                                 config.kv_heads, config.hidden));
  }
  if (config.heads > kModelHeadsMost || head_dim > kModelHeadDimMost) {
    throw InputError(file.path(), 0, "n_heads",
                     fmt::format("{} heads of {} elements are not supported; expected at most {} "
                                 "of at most {}",
                                 config.heads, head_dim, kModelHeadsMost, kModelHeadDimMost));
  }
  config.architecture = "llama";
  config.head_dim = head_dim;
  config.norm = NormKind::rms;
  config.norm_epsilon = 1e-5F;
  config.positions = PositionKind::rope;
  config.rope_pairs = RopePairs::adjacent;
  config.rope_frequencies = rope_frequencies(config.head_dim, kRopeBase);
  config.activation = Activation::silu;
  config.gated = true;
  // Texts follow one another in its training data, each after a begin token (1), so one ends where
  // the next would begin: run.c's `generate` stops there. Chat models also end with an end token.
  if (config.vocabulary > 1) config.begin_token = 1;
  for (const Token token : {1, 2}) {
    if (token < config.vocabulary) config.end_tokens.push_back(token);
  }
}

/// Hands out the file's floats in order.
class FloatReader {
 public:
  explicit FloatReader(const MappedFile& file) : file_(file), at_(kHeaderBytes) {}

  TensorView take(const char* name, std::int64_t rows, std::int64_t columns) {
    const std::size_t left = file_.bytes().size() - at_;
    const auto rows_most = left / sizeof(float) / static_cast<std::uint64_t>(columns);
    if (std::cmp_greater(rows, rows_most)) {
      throw InputError(
          file_.path(), 0, fmt::format("tensor \"{}\"", name),
          fmt::format("cut short; expected [{}, {}] floats, found {} bytes", rows, columns, left));
    }
    const std::byte* data = file_.bytes().data() + at_;
    at_ += static_cast<std::size_t>(rows * columns) * sizeof(float);
    return TensorView::plain(data, ElementType::f32, rows, columns);
  }
  void expect_end() const {
    const std::size_t left = file_.bytes().size() - at_;
    if (left == 0) return;
    throw InputError(file_.path(), 0, "",
                     fmt::format("{} bytes more than a checkpoint of this shape has", left));
  }

 private:
  const MappedFile& file_;
  std::size_t at_;
};

void map_tensors(const MappedFile& file, ModelWeights& weights) {
  const ModelConfig& config = weights.config;
  const std::int64_t hidden = config.hidden;
  const std::int64_t wide = config.feed_forward;
  const std::int64_t keys = std::int64_t{config.kv_heads} * config.head_dim;
  FloatReader from(file);
  // One tensor of all layers lies together. The file is known to hold all of them before there is a
  // layer for each that its header claims.
  std::vector<std::pair<TensorView LayerWeights::*, TensorView>> blocks;
  const auto take = [&](const char* name, TensorView LayerWeights::*place, std::int64_t rows,
                        std::int64_t columns) {
    blocks.emplace_back(place, from.take(name, config.layers * rows, columns));
  };
  weights.embedding = from.take("token_embedding", config.vocabulary, hidden);
  take("rms_att", &LayerWeights::attention_norm_scale, 1, hidden);
  take("wq", &LayerWeights::query, hidden, hidden);
  take("wk", &LayerWeights::key, keys, hidden);
  take("wv", &LayerWeights::value, keys, hidden);
  take("wo", &LayerWeights::output, hidden, hidden);
  take("rms_ffn", &LayerWeights::feed_forward_norm_scale, 1, hidden);
  take("w1", &LayerWeights::gate, wide, hidden);
  take("w2", &LayerWeights::down, hidden, wide);
  take("w3", &LayerWeights::up, wide, hidden);
  weights.final_norm_scale = from.take("rms_final", 1, hidden);
  from.take("freq_cis", config.context, config.head_dim);
  if (!config.tied_head) weights.head = from.take("wcls", config.vocabulary, hidden);
  from.expect_end();
  weights.layers.resize(static_cast<std::size_t>(config.layers));
  for (const auto& [place, block] : blocks) {
    const std::int64_t rows = block.rows / config.layers;
    for (std::int32_t i = 0; i < config.layers; ++i) {
      weights.layers[static_cast<std::size_t>(i)].*place = block.slice_rows(i * rows, rows);
    }
  }
}

}  // namespace

ModelWeights load_llama2c(const std::string& path) {
  const File file = find_model(path);
  ModelWeights weights;
  weights.config = read_config(*file);
  complete(weights.config, *file);
  map_tensors(*file, weights);
  weights.memory = file;
  finish_weights(weights);
  return weights;
}

}  // namespace tokenyard
