#pragma once

#include <cstdint>

#include "engine/kernels/huge_buffer.hpp"
#include "engine/model_config.hpp"

namespace tokenyard {

/// The f32 matrices that rows go through, one row a token. Three are enough: what a layer computes
/// in one of them is used up before the next is written, and few megabytes stay in the caches. They
/// grow to the most rows ever asked for. Rows begin at cache lines.
class Activations {
 public:
  explicit Activations(const ModelConfig& config);

  /// Makes room for `rows` rows; contents are unspecified after growth.
  void resize(std::int64_t rows);

  /// What layers add to: [rows, hidden].
  float* residual() const { return residual_; }
  /// A norm's results, then those of attention: [rows, max(hidden, heads x head_dim)].
  float* normed() const { return normed_; }
  /// Queries, keys and values, then the feed-forward layer's inside.
  float* wide() const { return wide_; }

  std::int64_t residual_stride() const { return residual_stride_; }
  std::int64_t normed_stride() const { return normed_stride_; }
  std::int64_t wide_stride() const { return wide_stride_; }

 private:
  std::int64_t residual_stride_;
  std::int64_t normed_stride_;
  std::int64_t wide_stride_;
  std::int64_t rows_ = 0;
  HugeBuffer memory_;
  float* residual_ = nullptr;
  float* normed_ = nullptr;
  float* wide_ = nullptr;
};

}  // namespace tokenyard
