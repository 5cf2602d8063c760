#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/kernels/attention.hpp"
#include "engine/kernels/rotary.hpp"
#include "engine/kernels/workers.hpp"
#include "engine/kv_cache.hpp"
#include "engine/layers/activations.hpp"
#include "engine/layers/packed_layer.hpp"
#include "engine/layers/step_rows.hpp"
#include "engine/model_config.hpp"

namespace tokenyard {

/// The way of some of a step's rows through the layers: the residual stream, and what a layer does
/// to it. Every operation treats a row by itself, but for attention, which reads the cache; so a
/// row's result does not depend on which rows go with it.
///
/// A pass is `begin`, the caller's embedding into `activations()`, then for each layer in order
/// `write_keys` and `finish`. Owns the activations, which are reused by the next pass. Refers to
/// config and workers; used by one thread at a time.
class RowPass {
 public:
  RowPass(const ModelConfig& config, Workers& workers);

  /// Starts a pass of `rows`, which must stay as they are until its end.
  void begin(const StepRows& rows, KvCache& cache);

  /// The first half of a layer: queries, keys and values of all rows, the latter two into the
  /// cache.
  void write_keys(const PackedLayer& layer, std::int32_t number);

  /// From here on only the rows whose logits are wanted go on, closed up in their order. Between
  /// the halves of the last layer: the other rows' keys and values are all that is needed of them.
  void keep_logit_rows();

  /// The second half: attention and the feed-forward layer.
  void finish(const PackedLayer& layer, std::int32_t number);

  /// Rows that are still on their way.
  std::int64_t rows() const { return count_; }
  Activations& activations() { return activations_; }

  InputRows residual_in() const;
  OutputRows residual_out() const;
  InputRows normed_in() const;
  OutputRows normed_out() const;

  /// Calls `work(part)` for parts of the rows, on all workers; on one, where there are fewer than
  /// some thousand elements in `columns` columns.
  template <typename Work>
  void share_rows(std::int64_t columns, Work work) {
    if (count_ == 1 || count_ * columns <= kElementsForOne) {
      work(Part{0, count_});
    } else {
      workers_.run([&](int worker, int workers) { work(part_of(count_, worker, workers)); });
    }
  }

 private:
  /// One worker has done them before others would have begun.
  static constexpr std::int64_t kElementsForOne = 4096;

  void plan_attention(std::span<const AttentionSequence> chunks);
  void attend_all(std::int32_t layer);
  void feed_forward(const PackedLayer& layer);

  const ModelConfig& config_;
  Workers& workers_;
  const std::int64_t query_columns_;
  const std::int64_t kv_columns_;
  Activations activations_;
  RotaryAngles angles_;
  std::vector<AttentionScratch> scratch_;  ///< one a worker
  std::vector<AttentionSequence> last_tokens_;

  const StepRows* step_rows_ = nullptr;
  KvCache* cache_ = nullptr;
  std::int64_t count_ = 0;
  std::optional<AttentionPlan> plan_;
  std::int64_t attention_work_ = 0;  ///< products of elements
};

}  // namespace tokenyard
