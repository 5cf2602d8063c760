#pragma once
// For files of an instruction set with AVX512-BF16 only; in an unnamed namespace, so that it stays
// there.

#include <immintrin.h>

#include <cstdint>

namespace tokenyard {
namespace {

/// 32 inputs in bf16, rounded to nearest even, of which the first `count` are at `from` and the
/// others are zero.
inline __m512i round_inputs(const float* from, std::int64_t count) {
  const auto mask = static_cast<__mmask32>(count >= 32 ? ~0ULL : (1ULL << count) - 1);
  const __m512 low = _mm512_maskz_loadu_ps(static_cast<__mmask16>(mask), from);
  const __m512 high = _mm512_maskz_loadu_ps(static_cast<__mmask16>(mask >> 16U), from + 16);
  return (__m512i)_mm512_cvtne2ps_pbh(high, low);
}

}  // namespace
}  // namespace tokenyard
