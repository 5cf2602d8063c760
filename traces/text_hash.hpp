#pragma once

#include <cstdint>
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
    for (std::size_t at = 0; at < value.size(); at += 8) {
      std::uint64_t bits = 0;
      for (std::size_t i = 0; i < 8 && at + i < value.size(); ++i) {
        bits |= static_cast<std::uint64_t>(static_cast<unsigned char>(value[at + i])) << (8 * i);
      }
      word(bits);
    }
  }

  std::uint64_t value() const { return state_; }

 private:
  std::uint64_t state_ = 0;
};

}  // namespace tokenyard
