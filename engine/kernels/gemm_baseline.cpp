// The f32 kernels for any CPU.

#include "engine/kernels/gemm_panel.hpp"

namespace tokenyard::baseline {
namespace {

struct Registers {
  using Type = float __attribute__((vector_size(16)));
  using Words = std::uint32_t __attribute__((vector_size(16)));
  static constexpr int kRows = 6;  // 12 sums in 16 registers
  static Type multiply_add(Type sum, Type a, Type b) { return sum + a * b; }
};

}  // namespace

const GemmKernel f32_kernel = kGemmKernel<F32Panel<Vectors<Registers>>>;
const GemmKernel bf16_kernel = kGemmKernel<Bf16Panel<Vectors<Registers>>>;

}  // namespace tokenyard::baseline
