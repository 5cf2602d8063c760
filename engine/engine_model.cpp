#include "engine/engine_model.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "sim/kernel/input_error.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

GemmKind gemm_kind_of(const std::string& dtype, ElementType stored) {
  const GemmKind brief = gemm_available(GemmKind::bf16_dot) ? GemmKind::bf16_dot : GemmKind::bf16;
  if (dtype == "f32") return GemmKind::f32;
  if (dtype == "bf16") return brief;
  if (dtype == "bf16-widened") return GemmKind::bf16;
  if (dtype == "auto") return stored == ElementType::f32 ? GemmKind::f32 : brief;
  throw InputError(
      fmt::format("dtype: expected f32, bf16, bf16-widened or auto, found '{}'", printable(dtype)));
}

namespace {

std::optional<ElementType> kv_element_of(const std::string& dtype) {
  if (dtype == "f32") return ElementType::f32;
  if (dtype == "bf16") return ElementType::bf16;
  if (dtype == "auto") return std::nullopt;
  throw InputError(
      fmt::format("kv-cache-dtype: expected f32, bf16 or auto, found '{}'", printable(dtype)));
}

/// A folder may hold weights alone.
std::unique_ptr<Tokenizer> tokenizer_beside(const std::string& weights) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (!fs::exists(weights, error)) return nullptr;
  const fs::path folder =
      fs::is_directory(weights, error) ? fs::path(weights) : fs::path(weights).parent_path();
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    const bool is_one = name == "tokenizer.json" || name == "vocab.json" ||
                        (name.starts_with("tok") && name.ends_with(".bin"));
    if (is_one) return load_tokenizer(folder.string());
  }
  return nullptr;
}

}  // namespace

EngineModel::EngineModel(const std::string& weights, const std::string& dtype, int threads,
                         const std::string& kv_cache_dtype)
    : workers_(threads), kv_element_(kv_element_of(kv_cache_dtype)) {
  const ModelWeights loaded = load_weights(weights);
  transformer_ =
      std::make_unique<Transformer>(loaded, gemm_kind_of(dtype, loaded.stored), workers_);
  tokenizer_ = tokenizer_beside(weights);
}

KvShape EngineModel::kv_shape(std::int32_t block_tokens) const {
  KvShape shape = transformer_->kv_shape(block_tokens);
  shape.element = kv_element_.value_or(shape.element);
  return shape;
}

}  // namespace tokenyard
