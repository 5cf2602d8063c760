#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/kernels/huge_buffer.hpp"
#include "engine/kernels/packed_matrix.hpp"
#include "engine/kernels/workers.hpp"
#include "engine/kv_cache.hpp"
#include "engine/layers/packed_layer.hpp"
#include "engine/layers/row_pass.hpp"
#include "engine/layers/step_rows.hpp"
#include "engine/model_config.hpp"
#include "engine/weights/model_weights.hpp"

namespace tokenyard {

/// Logits of a step, one row for each sequence that wanted them: [rows, vocabulary].
struct LogitRows {
  const float* data = nullptr;
  std::int64_t rows = 0;
  std::int64_t vocabulary = 0;

  std::span<const float> row(std::int64_t number) const {
    return {data + number * vocabulary, static_cast<std::size_t>(vocabulary)};
  }
};

/// A decoder-only Transformer in one numeric tier: the packed weights and the forward pass of one
/// step over any mix of prompts, chunks of prompts and single tokens.
///
/// The logits of a sequence depend on its tokens, bit for bit on nothing else: not on the other
/// sequences of the step, the sequence's place among them, how its tokens were cut into steps, the
/// block size, the blocks' places and the number of workers. They may differ between tiers and
/// between CPU levels (`cpu_level()`, which must not change in a Transformer's life).
///
/// Owns the packed weights and activations; keeps the checkpoint's memory alive for the embedding;
/// refers to the workers. Used by one thread at a time.
class Transformer {
 public:
  /// Packs all matrices on all workers; the CPU must have a kernel for `kind` (`gemm_available`).
  Transformer(const ModelWeights& weights, GemmKind kind, Workers& workers);

  // A pass under way refers to the config.
  Transformer(const Transformer&) = delete;
  Transformer& operator=(const Transformer&) = delete;

  const ModelConfig& config() const { return config_; }
  GemmKind kind() const { return head_.kind(); }

  /// Of the cache that `forward` needs: elements are f32 in tier f32, else bf16. A cache may have
  /// the other of these two as well; its logits differ then.
  KvShape kv_shape(std::int32_t block_tokens) const;

  /// Computes all tokens of the step, writes their keys and values to the cache and returns the
  /// logits that were wanted, in the order of the sequences; they are valid until the next call.
  /// A sequence may read blocks that a sequence before it in the step writes, but no block that a
  /// later one writes. Tokens beyond the vocabulary or the context, tables that do not cover the
  /// tokens and a cache of another shape break an invariant, before anything is written.
  ///
  /// Nothing is allocated but small plans, once activations and logits have grown to the largest
  /// step.
  LogitRows forward(std::span<const StepSequence> step, KvCache& cache);

  /// What a step reads of the weights: the matrices, and not the rows of the embedding.
  std::size_t weight_bytes() const;
  std::span<const PackedLayer> layers() const { return layers_; }
  const PackedMatrix& head() const { return head_; }  ///< [vocabulary, hidden]

 private:
  /// What is checked and counted of a step.
  struct StepSize {
    std::int64_t rows = 0;
    std::int64_t logit_rows = 0;
  };

  StepSize check(std::span<const StepSequence> step, const KvCache& cache) const;
  void embed();
  void pass(KvCache& cache, float* logits);

  const ModelConfig config_;
  Workers& workers_;
  std::shared_ptr<const void> checkpoint_;
  TensorView embedding_;
  TensorView position_embedding_;
  NormVectors embedding_norm_;
  std::vector<PackedLayer> layers_;
  NormVectors final_norm_;
  PackedMatrix head_;

  StepRows rows_;
  RowPass pass_;
  HugeBuffer logits_;
};

}  // namespace tokenyard
