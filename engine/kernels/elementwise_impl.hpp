#pragma once
// Norms and activations, for the files that may include simd.hpp: each instantiates them for its
// instruction set.

#include "engine/kernels/elementwise_kernel.hpp"
#include "engine/kernels/simd_math.hpp"
#include "engine/model_config.hpp"

namespace tokenyard {
namespace {

/// The `count` < kLanes elements of a row's end, and `fill` in the other lanes.
inline Floats load_end(const float* from, std::int64_t count, float fill) {
  float lanes[kLanes];
  store(lanes, all(fill));
  for (std::int64_t i = 0; i < count; ++i) lanes[i] = from[i];
  return load(lanes);
}

inline void store_end(float* to, std::int64_t count, Floats value) {
  float lanes[kLanes];
  store(lanes, value);
  for (std::int64_t i = 0; i < count; ++i) to[i] = lanes[i];
}

/// The sum over a row of what `add(sum, elements)` adds. `neutral` is an element that adds nothing.
template <typename Add>
inline float reduce_row(const float* x, std::int64_t columns, float neutral, Add add) {
  constexpr int kParts = kSums / kLanes;
  Floats sum[kParts] = {};
  int part = 0;
  std::int64_t i = 0;
  for (; i + kLanes <= columns; i += kLanes) {
    sum[part] = add(sum[part], load(x + i));
    part = (part + 1) % kParts;
  }
  if (i < columns) sum[part] = add(sum[part], load_end(x + i, columns - i, neutral));
  return fold(sum, [](auto a, auto b) { return a + b; });
}

/// y = f(x, i) for each vector of elements from i on.
template <typename Function>
inline void map_row(const float* x, float* y, std::int64_t columns, Function f) {
  std::int64_t i = 0;
  for (; i + kLanes <= columns; i += kLanes) {
    store(y + i, f(load(x + i), [i](const float* other) { return load(other + i); }));
  }
  if (i < columns) {
    const std::int64_t count = columns - i;
    store_end(y + i, count, f(load_end(x + i, count, 0), [i, count](const float* other) {
                return load_end(other + i, count, 0);
              }));
  }
}

inline void layer_norm_row(const float* x, float* y, std::int64_t columns, const float* scale,
                           const float* shift, float epsilon) {
  const auto count = static_cast<float>(columns);
  const float mean =
      reduce_row(x, columns, 0, [](Floats sum, Floats value) { return sum + value; }) / count;
  const float squares = reduce_row(x, columns, mean, [mean](Floats sum, Floats value) {
    return fma(value - mean, value - mean, sum);
  });
  const Floats factor = all(1.0F / __builtin_sqrtf(squares / count + epsilon));
  if (shift == nullptr) {
    return map_row(x, y, columns, [&](Floats value, auto at) {
      return mul(mul(value - mean, factor), at(scale));
    });
  }
  map_row(x, y, columns, [&](Floats value, auto at) {
    return fma(mul(value - mean, factor), at(scale), at(shift));
  });
}

inline void rms_norm_row(const float* x, float* y, std::int64_t columns, const float* scale,
                         float epsilon) {
  const float squares =
      reduce_row(x, columns, 0, [](Floats sum, Floats value) { return fma(value, value, sum); });
  const Floats factor =
      all(1.0F / __builtin_sqrtf(squares / static_cast<float>(columns) + epsilon));
  map_row(x, y, columns, [&](Floats value, auto at) { return mul(mul(value, factor), at(scale)); });
}

/// x times the normal distribution function: x tail below 0, x (1 - tail) above it.
inline Floats gelu(Floats x) {
  const Floats lower = mul(x, normal_tail(absolute(x)));
  return x < 0.0F ? lower : x - lower;
}

/// x (1 + tanh u) / 2 = x / (1 + e^-2u), u = sqrt(2 / pi) (x + 0.044715 x^3).
inline Floats gelu_tanh(Floats x) {
  const Floats inner = fma(mul(x, x), all(0.044715F), all(1.0F));
  return mul(x, sigmoid(mul(mul(x, inner), all(1.59576912F))));
}

template <typename Function>
inline void activate_with(const float* x, const float* up, float* y, std::int64_t columns,
                          Function f) {
  if (up == nullptr) return map_row(x, y, columns, [f](Floats value, auto) { return f(value); });
  map_row(x, y, columns, [f, up](Floats value, auto at) { return mul(f(value), at(up)); });
}

inline void exponentiate_row(const float* x, float* y, std::int64_t columns) {
  map_row(x, y, columns, [](Floats value, auto) { return exp(value); });
}

inline void activate_row(Activation f, const float* x, const float* up, float* y,
                         std::int64_t columns) {
  switch (f) {
    case Activation::relu:
      return activate_with(x, up, y, columns,
                           [](Floats value) { return value < 0.0F ? Floats{} : value; });
    case Activation::gelu:
      return activate_with(x, up, y, columns, [](Floats value) { return gelu(value); });
    case Activation::gelu_tanh:
      return activate_with(x, up, y, columns, [](Floats value) { return gelu_tanh(value); });
    case Activation::silu:
      return activate_with(x, up, y, columns,
                           [](Floats value) { return mul(value, sigmoid(value)); });
  }
}

}  // namespace
}  // namespace tokenyard
