#pragma once
// What the element-wise kernels of all instruction sets have in common. Included by files that are
// compiled for one instruction set, so it holds plain data only: an inline function here could end
// up in the program as those files' copy of it.

#include <cstdint>

namespace tokenyard {

enum class Activation : std::uint8_t;

/// One instruction set's way to do a row of `columns` elements. `y` may be `x` (or `up`).
struct ElementwiseKernel {
  /// y = (x - mean) / sqrt(variance + epsilon) * scale + shift; `shift` may be null.
  void (*layer_norm)(const float* x, float* y, std::int64_t columns, const float* scale,
                     const float* shift, float epsilon) = nullptr;
  /// y = x / sqrt(mean of squares + epsilon) * scale.
  void (*rms_norm)(const float* x, float* y, std::int64_t columns, const float* scale,
                   float epsilon) = nullptr;
  /// y = f(x), or f(x) * up unless that is null.
  void (*activate)(Activation f, const float* x, const float* up, float* y,
                   std::int64_t columns) = nullptr;
  /// y = e^x.
  void (*exponentiate)(const float* x, float* y, std::int64_t columns) = nullptr;
};

namespace baseline {
extern const ElementwiseKernel elementwise_kernel;
}
namespace avx2 {
extern const ElementwiseKernel elementwise_kernel;
}
namespace avx512 {
extern const ElementwiseKernel elementwise_kernel;
}

}  // namespace tokenyard
