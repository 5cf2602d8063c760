#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "engine/kernels/workers.hpp"
#include "engine/text/tokenizer.hpp"
#include "engine/transformer.hpp"
#include "engine/weights/model_weights.hpp"

namespace tokenyard {

/// How weights are stored and multiplied: "f32", "bf16" (with AMX where the CPU has it, else
/// widened to f32), "bf16-widened", or "auto": as the checkpoint stores them. Throws `InputError`.
GemmKind gemm_kind_of(const std::string& dtype, ElementType stored);

/// A loaded model, ready to run: packed weights, its tokenizer where it has one, and the threads
/// that compute. One run at a time uses it.
class EngineModel {
 public:
  /// `weights` as for `load_weights`; `kv_cache_dtype`: "f32", "bf16", or "auto": f32 with
  /// weights in f32, else bf16. Throws `InputError`.
  EngineModel(const std::string& weights, const std::string& dtype, int threads,
              const std::string& kv_cache_dtype = "auto");

  /// Of a cache for this model.
  KvShape kv_shape(std::int32_t block_tokens) const;

  Transformer& transformer() { return *transformer_; }
  Workers& workers() { return workers_; }
  /// Null where the weights came without one.
  const Tokenizer* tokenizer() const { return tokenizer_.get(); }
  const ModelConfig& config() const { return transformer_->config(); }

 private:
  Workers workers_;
  std::unique_ptr<Transformer> transformer_;
  std::optional<ElementType> kv_element_;  ///< none: as the tier has it
  std::unique_ptr<Tokenizer> tokenizer_;
};

}  // namespace tokenyard
