#pragma once
// Four floats at once, in the vector types of GCC and Clang, which every x86-64 carries out the
// same way to the last bit: what is sampled must not depend on what else a processor can do, so
// these loops have no forms for wider instruction sets.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace tokenyard::lanes {

inline constexpr std::size_t kLanes = 4;
using Floats = float __attribute__((vector_size(16)));
using Ints = std::int32_t __attribute__((vector_size(16)));
using Bits = std::uint32_t __attribute__((vector_size(16)));

inline Floats load(const float* from) {
  Floats lanes;
  std::memcpy(&lanes, from, sizeof lanes);
  return lanes;
}

inline void store(float* to, Floats lanes) {
  std::memcpy(to, &lanes, sizeof lanes);
}

inline Floats all(float value) {
  return Floats{} + value;
}

/// Lane by lane; of a NaN in `a` and a number in `b`, the number.
inline Floats greater(Floats a, Floats b) {
  return a > b ? a : b;
}

inline float greatest(Floats lanes) {
  lanes = greater(lanes, __builtin_shuffle(lanes, Ints{2, 3, 0, 1}));
  lanes = greater(lanes, __builtin_shuffle(lanes, Ints{1, 0, 3, 2}));
  return lanes[0];
}

inline float sum(Floats lanes) {
  return (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
}

inline bool any(Ints mask) {
  return (mask[0] | mask[1] | mask[2] | mask[3]) != 0;
}

/// e^x for x up to 0, to within 1e-7 of it; 0 below -87, where floats lose precision. After the
/// `expf` of the Cephes library (Moshier): x = n ln 2 + r, and a polynomial in r.
inline Floats exp_of_negative(Floats x) {
  constexpr float kRound = 12582912.0F;  // 1.5 x 2^23: added, it leaves the nearest integer
  const Floats shifted = x * 1.44269504F + kRound;
  const Floats n = shifted - kRound;
  const Floats r = (x - n * 0.693359375F) - n * -2.12194440e-4F;
  Floats p = r * 1.9875691500e-4F + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * (r * r) + r + 1.0F;
  const Bits exponent = std::bit_cast<Bits>(shifted) << 23;
  const Floats power = std::bit_cast<Floats>(std::bit_cast<Bits>(p) + exponent);
  return x > all(-87.0F) ? power : Floats{};
}

}  // namespace tokenyard::lanes
