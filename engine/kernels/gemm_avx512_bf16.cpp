// The kernel for AVX512-BF16: products of pairs of bf16, summed in f32. One instruction adds the
// products of a pair, with even and odd inputs in an order of the architecture (Intel's Software
// Developer's Manual, volume 2, VDPBF16PS).

#if defined(__AVX512BF16__)

#include <immintrin.h>

#include "engine/kernels/gemm_panel.hpp"
#include "engine/kernels/round_inputs.hpp"

namespace tokenyard::avx512_bf16 {
namespace {

struct Registers {
  using Type = float __attribute__((vector_size(64)));
  using Words = std::uint32_t __attribute__((vector_size(64)));
  static constexpr int kRows = 12;  // 24 sums in 32 registers
  /// Adds to each sum the two products of a pair in `a` and one in `b`.
  static Type multiply_add(Type sum, Type a, Type b) {
    return _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)b);
  }
};

/// A panel of pairs of inputs in bf16, beside pairs of inputs of X rounded to it.
struct PairPanel {
  using V = Vectors<Registers>;
  static constexpr PanelFormat kFormat = PanelFormat::bf16_input_pairs;
  static constexpr int kBlockInputs = 2;
  static constexpr int kBlockBytes = 2 * V::kLanes * 4;

  static void load(const std::byte* at, V::Type& low, V::Type& high) {
    low = V::load(at);
    high = V::load(at + 4 * V::kLanes);
  }

  static void pack_row(const float* x, std::int64_t inner, std::int64_t begin, std::int64_t end,
                       std::byte* to, std::int64_t apart) {
    auto* pairs = reinterpret_cast<std::uint32_t*>(to);
    for (std::int64_t block = begin; block < end; block += 16) {
      const std::int64_t left = end - block < 16 ? end - block : 16;
      std::uint32_t rounded[16];
      _mm512_storeu_si512(rounded, round_inputs(x + 2 * block, inner - 2 * block));
      for (std::int64_t i = 0; i < left; ++i) pairs[(block + i) * apart] = rounded[i];
    }
  }
};

}  // namespace

const GemmKernel kernel = kGemmKernel<PairPanel>;

}  // namespace tokenyard::avx512_bf16

#endif
