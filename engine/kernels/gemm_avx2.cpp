// The f32 kernels for AVX2 and FMA.

#if defined(__AVX2__)

#include <immintrin.h>

#include "engine/kernels/gemm_panel.hpp"

namespace tokenyard::avx2 {
namespace {

struct Registers {
  using Type = float __attribute__((vector_size(32)));
  using Words = std::uint32_t __attribute__((vector_size(32)));
  static constexpr int kRows = 6;  // 12 sums in 16 registers
  static Type multiply_add(Type sum, Type a, Type b) { return _mm256_fmadd_ps(a, b, sum); }
};

}  // namespace

const GemmKernel f32_kernel = kGemmKernel<F32Panel<Vectors<Registers>>>;
const GemmKernel bf16_kernel = kGemmKernel<Bf16Panel<Vectors<Registers>>>;

}  // namespace tokenyard::avx2

#endif
