#pragma once
// Functions of vectors; for the same files as simd.hpp. The polynomials are minimax fits (Remez's
// algorithm) of this project; the tests hold their error bounds.

#include "engine/kernels/simd.hpp"

namespace tokenyard {
namespace {

/// e^x within 1.01 units in the last place (all arguments were tried) for x <= 0; exactly 1 at 0,
/// and 0 below the least normal number (x < -87.33).
///
/// x = n ln 2 + r with |r| <= ln 2 / 2; ln 2 in two parts, of which the first has so few bits that
/// n times it is exact (Cody and Waite, "Software Manual for the Elementary Functions", 1980, ch.
/// 6); e^r = 1 + r + r^2 q(r), q of degree 4 with a relative error of 3.1e-9 in e^r.
inline Floats exp_of_negative(Floats x) {
  constexpr float kLeast = -87.3365402F;
  const Floats inside = max(all(kLeast), x);
  // Adding 1.5 x 2^23 rounds to an integer and leaves it in the low bits.
  const Floats magic = all(12582912.0F);
  const Floats shifted = fma(inside, all(1.44269504F), magic);
  const Floats n = shifted - magic;
  Floats r = fma(n, all(-0.693359375F), inside);
  r = fma(n, all(2.12194440e-4F), r);
  Floats q = all(1.381459884e-3F);
  q = fma(q, r, all(8.368716885e-3F));
  q = fma(q, r, all(4.166838804e-2F));
  q = fma(q, r, all(1.666652063e-1F));
  q = fma(q, r, all(4.999999345e-1F));
  const Floats power = fma(mul(r, r), q, r) + 1.0F;
  const Words scale = reinterpret_cast<Words>(shifted) << 23;
  const auto scaled = reinterpret_cast<Floats>(reinterpret_cast<Words>(power) + scale);
  return x < kLeast ? Floats{} : scaled;
}

/// The same for any x: infinite above the largest number (x > 88.72); NaN stays NaN.
inline Floats exp(Floats x) {
  constexpr float kMost = 88.7228394F;
  const Floats scaled = exp_of_negative(min(x, all(kMost)));
  const Floats result = x > kMost ? all(__builtin_inff()) : scaled;
  return x == x ? result : x;
}

/// 1 / (1 + e^-x).
inline Floats sigmoid(Floats x) {
  return all(1.0F) / (exp(-x) + 1.0F);
}

/// The normal distribution's upper tail at a distance t >= 0: erfc(t / sqrt 2) / 2 = e^(-t^2 / 2)
/// R(u), with u = 1 / (1 + 0.35 t) and R a polynomial with a relative error of 3.2e-8 up to t = 14,
/// where the exponential is 0 (the form of Abramowitz and Stegun, 7.1.26). Relative error below
/// 1e-6.
inline Floats normal_tail(Floats distance) {
  const Floats t = min(distance, all(14.0F));
  const Floats u = all(1.0F) / fma(t, all(0.35F), all(1.0F));
  Floats r = all(-2.914598669e-2F);
  r = fma(r, u, all(1.439719440e-1F));
  r = fma(r, u, all(-2.557147048e-1F));
  r = fma(r, u, all(1.591746096e-1F));
  r = fma(r, u, all(-2.311010088e-2F));
  r = fma(r, u, all(1.055080991e-1F));
  r = fma(r, u, all(1.198328477e-1F));
  r = fma(r, u, all(1.398618719e-1F));
  r = fma(r, u, all(1.396214042e-1F));
  const Floats square = mul(t, t);
  Floats decay = exp(mul(square, all(-0.5F)));
#if defined(__AVX2__)
  const Floats lost = fma(t, t, -square);  // what rounding took from the square
  decay = fma(mul(decay, lost), all(-0.5F), decay);
#endif
  return mul(mul(r, u), decay);
}

}  // namespace
}  // namespace tokenyard
