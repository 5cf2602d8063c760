#pragma once
// Vectors of f32 of the instruction set that the including file is compiled for. For such files
// only
// (`*_baseline.cpp`, `*_avx2.cpp`, `*_avx512.cpp`): all is in an unnamed namespace, so that no
// other file is ever given this file's copy of a function. They call no inline function of the
// standard library either.
//
// Rounding is part of the kernels' contract. The compiler may fuse a product with a later sum, and
// may do so in one place and not in another; so a product is written `mul`, which it cannot see
// through, and a sum of products `fma`.

#include <cstdint>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace tokenyard {
namespace {

typedef float Floats4 __attribute__((vector_size(16)));
typedef float Floats8 __attribute__((vector_size(32)));
typedef float Floats16 __attribute__((vector_size(64)));

/// The widest vectors, and how many there are.
#if defined(__AVX512F__)
typedef Floats16 Floats;
constexpr int kVectorRegisters = 32;
#elif defined(__AVX2__)
typedef Floats8 Floats;
constexpr int kVectorRegisters = 16;
#else
typedef Floats4 Floats;
constexpr int kVectorRegisters = 16;
#endif
constexpr int kLanes = sizeof(Floats) / sizeof(float);
typedef std::uint32_t Words __attribute__((vector_size(sizeof(Floats))));

/// How vectors of a width are read from anywhere in memory: f32, or bf16 that is widened exactly.
template <typename Vector>
struct Memory;
template <>
struct Memory<Floats4> {
  typedef float F32 __attribute__((vector_size(16), aligned(4), may_alias));
  typedef std::uint16_t Bf16 __attribute__((vector_size(8), aligned(2), may_alias));
  typedef std::uint32_t Bits __attribute__((vector_size(16)));
  static Bits widen(Bf16 halves) { return __builtin_convertvector(halves, Bits) << 16; }
};
#if defined(__AVX2__)
template <>
struct Memory<Floats8> {
  typedef float F32 __attribute__((vector_size(32), aligned(4), may_alias));
  typedef std::uint16_t Bf16 __attribute__((vector_size(16), aligned(2), may_alias));
  typedef std::uint32_t Bits __attribute__((vector_size(32)));
  static Bits widen(Bf16 halves) { return __builtin_convertvector(halves, Bits) << 16; }
};
#endif
#if defined(__AVX512F__)
template <>
struct Memory<Floats16> {
  typedef float F32 __attribute__((vector_size(64), aligned(4), may_alias));
  typedef std::uint16_t Bf16 __attribute__((vector_size(32), aligned(2), may_alias));
  typedef std::uint32_t Bits __attribute__((vector_size(64)));
  static Bits widen(Bf16 halves) {
    // (GCC would convert halves of it; a mask of all is one that it leaves out.)
    const __m512i words = _mm512_maskz_cvtepu16_epi32(0xffff, reinterpret_cast<__m256i>(halves));
    return reinterpret_cast<Bits>(words) << 16;
  }
};
#endif

template <typename Vector = Floats>
inline Vector load(const float* from) {
  return *reinterpret_cast<const typename Memory<Vector>::F32*>(from);
}
template <typename Vector = Floats>
inline Vector load(const std::uint16_t* from) {
  using At = Memory<Vector>;
  return reinterpret_cast<Vector>(At::widen(*reinterpret_cast<const typename At::Bf16*>(from)));
}
template <typename Vector>
inline void store(float* to, Vector value) {
  *reinterpret_cast<typename Memory<Vector>::F32*>(to) = value;
}

template <typename Vector = Floats>
inline Vector all(float value) {
  return value - Vector{};  // (a sum with 0 would lose the sign of -0 and so cost an instruction)
}

/// a * b + c, rounded once where the instruction set can.
inline Floats4 fma(Floats4 a, Floats4 b, Floats4 c) {
#if defined(__AVX2__)
  return _mm_fmadd_ps(a, b, c);
#else
  return a * b + c;
#endif
}
#if defined(__AVX2__)
inline Floats8 fma(Floats8 a, Floats8 b, Floats8 c) {
  return _mm256_fmadd_ps(a, b, c);
}
#endif
#if defined(__AVX512F__)
inline Floats16 fma(Floats16 a, Floats16 b, Floats16 c) {
  return _mm512_fmadd_ps(a, b, c);
}
#endif

inline Floats mul(Floats a, Floats b) {
  Floats product = a * b;
#if defined(__AVX512F__)
  asm("" : "+v"(product));
#elif defined(__AVX2__)
  asm("" : "+x"(product));
#endif
  return product;
}

/// NaN in `b` stays.
inline Floats max(Floats a, Floats b) {
  return a > b ? a : b;
}
inline Floats min(Floats a, Floats b) {
  return a < b ? a : b;
}

inline Floats absolute(Floats a) {
  return reinterpret_cast<Floats>(reinterpret_cast<Words>(a) & 0x7fffffffU);
}

/// Reductions keep sixteen running values, whatever the width of a vector: element i of a row goes
/// to value i mod 16. So the order is the same for all instruction sets.
constexpr int kSums = 16;

/// Joins lanes by halves until one is left: i with i + 8, i + 4, i + 2, i + 1.
template <typename Operation>
inline float fold(const Floats (&part)[kSums / kLanes], Operation join) {
#if defined(__AVX2__)
#if defined(__AVX512F__)
  const Floats8 low = __builtin_shufflevector(part[0], part[0], 0, 1, 2, 3, 4, 5, 6, 7);
  const Floats8 eight =
      join(low, __builtin_shufflevector(part[0], part[0], 8, 9, 10, 11, 12, 13, 14, 15));
#else
  const Floats8 eight = join(part[0], part[1]);
#endif
  const Floats4 low_half = __builtin_shufflevector(eight, eight, 0, 1, 2, 3);
  const Floats4 four = join(low_half, __builtin_shufflevector(eight, eight, 4, 5, 6, 7));
#else
  const Floats4 four = join(join(part[0], part[2]), join(part[1], part[3]));
#endif
  const Floats4 two = join(four, __builtin_shufflevector(four, four, 2, 3, 2, 3));
  return join(two[0], two[1]);
}

}  // namespace
}  // namespace tokenyard
