#include "engine/layers/activations.hpp"

#include <algorithm>

namespace tokenyard {
namespace {

/// Whole cache lines.
std::int64_t padded(std::int64_t floats) {
  return (floats + 15) / 16 * 16;
}

std::int64_t wide_columns(const ModelConfig& config) {
  const std::int64_t attention = std::int64_t{config.heads + 2 * config.kv_heads} * config.head_dim;
  const std::int64_t feed_forward = std::int64_t{config.gated ? 2 : 1} * config.feed_forward;
  return std::max(attention, feed_forward);
}

}  // namespace

Activations::Activations(const ModelConfig& config)
    : residual_stride_(padded(config.hidden)),
      normed_stride_(
          std::max(residual_stride_, padded(std::int64_t{config.heads} * config.head_dim))),
      wide_stride_(padded(wide_columns(config))) {}

void Activations::resize(std::int64_t rows) {
  if (rows <= rows_) return;
  const std::int64_t columns = residual_stride_ + normed_stride_ + wide_stride_;
  memory_ = HugeBuffer();  // freed first, so that both never stand side by side
  memory_ = HugeBuffer(static_cast<std::size_t>(rows * columns) * sizeof(float));
  residual_ = reinterpret_cast<float*>(memory_.data());
  normed_ = residual_ + rows * residual_stride_;
  wide_ = normed_ + rows * normed_stride_;
  rows_ = rows;
}

}  // namespace tokenyard
