#pragma once

#include <bit>
#include <cstdint>

namespace tokenyard {

/// The nearest bf16 (the upper half of an f32), ties to even. NaN stays NaN, overflow is infinite.
/// Not for files of one instruction set: those round by its instructions.
inline std::uint16_t round_to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7fffffffU) > 0x7f800000U) {  // adding could carry a NaN into infinity
    return static_cast<std::uint16_t>((bits >> 16U) | 0x40U);
  }
  return static_cast<std::uint16_t>((bits + 0x7fffU + ((bits >> 16U) & 1U)) >> 16U);
}

/// Exact.
inline float widen_bf16(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16U);
}

}  // namespace tokenyard
