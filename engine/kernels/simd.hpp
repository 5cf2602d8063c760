#pragma once
// One vector of f32 of the instruction set that the including file is compiled for. For such files
// only (`*_baseline.cpp`, `*_avx2.cpp`, `*_avx512.cpp`): all is in an unnamed namespace, so that no
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

#if defined(__AVX512F__)
constexpr int kLanes = 16;
constexpr int kVectorRegisters = 32;
#elif defined(__AVX2__)
constexpr int kLanes = 8;
constexpr int kVectorRegisters = 16;
#else
constexpr int kLanes = 4;
constexpr int kVectorRegisters = 16;
#endif

typedef float Floats __attribute__((vector_size(kLanes * 4)));
typedef std::int32_t Ints __attribute__((vector_size(kLanes * 4)));
typedef std::uint32_t Words __attribute__((vector_size(kLanes * 4)));

/// The same anywhere in memory: what loads and stores go through.
typedef float FloatsAt __attribute__((vector_size(kLanes * 4), aligned(4), may_alias));
typedef std::uint16_t HalvesAt __attribute__((vector_size(kLanes * 2), aligned(2), may_alias));

inline Floats load(const float* from) {
  return *reinterpret_cast<const FloatsAt*>(from);
}

/// bf16, widened exactly.
inline Floats load(const std::uint16_t* from) {
  const auto halves = *reinterpret_cast<const HalvesAt*>(from);
  return reinterpret_cast<Floats>(__builtin_convertvector(halves, Words) << 16);
}

inline void store(float* to, Floats value) {
  *reinterpret_cast<FloatsAt*>(to) = value;
}

inline Floats all(float value) {
  return value - Floats{};  // (a sum with 0 would lose the sign of -0 and so cost an instruction)
}

/// a * b + c, rounded once where the instruction set can.
inline Floats fma(Floats a, Floats b, Floats c) {
#if defined(__AVX512F__)
  return _mm512_fmadd_ps(a, b, c);
#elif defined(__AVX2__)
  return _mm256_fmadd_ps(a, b, c);
#else
  return a * b + c;
#endif
}

inline Floats mul(Floats a, Floats b) {
  Floats product = a * b;
#if defined(__AVX512F__)
  asm("" : "+v"(product));
#elif defined(__AVX2__)
  asm("" : "+x"(product));
#endif
  return product;
}

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
  typedef float Four __attribute__((vector_size(16)));
#if defined(__AVX2__)
  typedef float Eight __attribute__((vector_size(32)));
#if defined(__AVX512F__)
  const Eight low = __builtin_shufflevector(part[0], part[0], 0, 1, 2, 3, 4, 5, 6, 7);
  const Eight eight =
      join(low, __builtin_shufflevector(part[0], part[0], 8, 9, 10, 11, 12, 13, 14, 15));
#else
  const Eight eight = join(part[0], part[1]);
#endif
  const Four low_half = __builtin_shufflevector(eight, eight, 0, 1, 2, 3);
  const Four four = join(low_half, __builtin_shufflevector(eight, eight, 4, 5, 6, 7));
#else
  const Four four = join(join(part[0], part[2]), join(part[1], part[3]));
#endif
  const Four two = join(four, __builtin_shufflevector(four, four, 2, 3, 2, 3));
  return join(two[0], two[1]);
}

}  // namespace
}  // namespace tokenyard
