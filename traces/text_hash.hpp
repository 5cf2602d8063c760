#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "sim/kernel/rng.hpp"

namespace tokenyard {

/// A 64-bit fingerprint of a sequence of integers and texts, the same on every machine. Each word w
/// makes the state s into mix(s ^ w), where mix is one step of SplitMix64 (see `Rng`); a text is
/// its length and then its bytes as little-endian words of eight, the last one padded with zeros.
class TextHash {
 public:
  void word(std::uint64_t value) { state_ = Rng(state_ ^ value)(); }
  void integer(std::int64_t value) { word(static_cast<std::uint64_t>(value)); }

  void text(std::string_view value) {
    word(value.size());
    const char* at = value.data();
    std::size_t left = value.size();
    for (; left >= sizeof(std::uint64_t); at += 8, left -= 8) word(little_endian(at, 8));
    if (left > 0) word(little_endian(at, left));
  }

  std::uint64_t value() const { return state_; }

 private:
  static std::uint64_t little_endian(const char* from, std::size_t bytes) {
    std::uint64_t bits = 0;
    if constexpr (std::endian::native == std::endian::little) {
      std::memcpy(&bits, from, bytes);
    } else {
      for (std::size_t i = 0; i < bytes; ++i) {
        bits |= static_cast<std::uint64_t>(static_cast<unsigned char>(from[i])) << (8 * i);
      }
    }
    return bits;
  }

  std::uint64_t state_ = 0;
};

}  // namespace tokenyard
