// The f32 kernels for AVX-512.

#if defined(__AVX512F__)

#include <immintrin.h>

#include "engine/kernels/gemm_panel.hpp"

namespace tokenyard::avx512 {
namespace {

struct Registers {
  using Type = float __attribute__((vector_size(64)));
  using Words = std::uint32_t __attribute__((vector_size(64)));
  static constexpr int kRows = 12;  // 24 sums in 32 registers
  static Type multiply_add(Type sum, Type a, Type b) { return _mm512_fmadd_ps(a, b, sum); }
};

}  // namespace

const GemmKernel f32_kernel = kGemmKernel<F32Panel<Vectors<Registers>>>;
const GemmKernel bf16_kernel = kGemmKernel<Bf16Panel<Vectors<Registers>>>;

}  // namespace tokenyard::avx512

#endif
