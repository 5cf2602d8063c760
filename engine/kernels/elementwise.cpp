#include "engine/kernels/elementwise.hpp"

#include "engine/kernels/cpu_features.hpp"
#include "engine/kernels/elementwise_kernel.hpp"
#include "sim/kernel/invariant.hpp"

namespace tokenyard {
namespace {

const ElementwiseKernel& kernel() {
#if defined(__x86_64__)
  const CpuLevel level = cpu_level();
  if (level >= CpuLevel::avx512) return avx512::elementwise_kernel;
  if (level >= CpuLevel::avx2) return avx2::elementwise_kernel;
#endif
  return baseline::elementwise_kernel;
}

void check(Part rows, std::int64_t count) {
  invariant(rows.begin >= 0 && rows.end <= count, "a range of rows is within the input's",
            "[{}, {}) of {}", rows.begin, rows.end, count);
}

}  // namespace

void normalize(NormKind kind, const NormWeights& weights, std::int64_t columns, InputRows x,
               OutputRows y, Part rows) {
  check(rows, x.rows);
  const ElementwiseKernel& with = kernel();
  for (std::int64_t row = rows.begin; row < rows.end; ++row) {
    const float* from = x.data + row * x.stride;
    float* to = y.data + row * y.stride;
    if (kind == NormKind::layer) {
      with.layer_norm(from, to, columns, weights.scale, weights.shift, weights.epsilon);
    } else {
      with.rms_norm(from, to, columns, weights.scale, weights.epsilon);
    }
  }
}

void activate(Activation f, std::int64_t columns, InputRows x, OutputRows y, Part rows) {
  check(rows, x.rows);
  const ElementwiseKernel& with = kernel();
  for (std::int64_t row = rows.begin; row < rows.end; ++row) {
    with.activate(f, x.data + row * x.stride, nullptr, y.data + row * y.stride, columns);
  }
}

void activate_gated(Activation f, std::int64_t columns, InputRows gate, InputRows up, OutputRows y,
                    Part rows) {
  check(rows, gate.rows);
  check(rows, up.rows);
  const ElementwiseKernel& with = kernel();
  for (std::int64_t row = rows.begin; row < rows.end; ++row) {
    with.activate(f, gate.data + row * gate.stride, up.data + row * up.stride,
                  y.data + row * y.stride, columns);
  }
}

void exponentiate(std::int64_t columns, InputRows x, OutputRows y, Part rows) {
  check(rows, x.rows);
  const ElementwiseKernel& with = kernel();
  for (std::int64_t row = rows.begin; row < rows.end; ++row) {
    with.exponentiate(x.data + row * x.stride, y.data + row * y.stride, columns);
  }
}

void add(std::int64_t columns, InputRows x, OutputRows y, Part rows) {
  check(rows, x.rows);
  for (std::int64_t row = rows.begin; row < rows.end; ++row) {
    const float* from = x.data + row * x.stride;
    float* to = y.data + row * y.stride;
    for (std::int64_t i = 0; i < columns; ++i) to[i] += from[i];
  }
}

void clamp(float most, std::int64_t columns, OutputRows y, Part rows) {
  for (std::int64_t row = rows.begin; row < rows.end; ++row) {
    float* to = y.data + row * y.stride;
    for (std::int64_t i = 0; i < columns; ++i) {
      const float low = to[i] < -most ? -most : to[i];
      to[i] = low > most ? most : low;
    }
  }
}

}  // namespace tokenyard
